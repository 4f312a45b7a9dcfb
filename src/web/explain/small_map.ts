/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import {
  type AttentionChoice,
  attentionMap,
  type ImageAttentions,
  overlayAttention,
} from "../../mod.ts";

/** A map by itself, a pixel a patch. */
export function smallMap(attentions: ImageAttentions, choice: AttentionChoice): TemplateResult {
  const { rows, columns } = attentions;
  return html`
    <canvas
      width=${columns}
      height=${rows}
      aria-hidden="true"
      ${ref((canvas) => draw(canvas as HTMLCanvasElement | undefined, attentions, choice))}
    ></canvas>
  `;
}

/** What is on a canvas already: most stay when something else on the page changes. */
const drawn = new WeakMap<HTMLCanvasElement, ImageAttentions>();

function draw(
  canvas: HTMLCanvasElement | undefined,
  attentions: ImageAttentions,
  choice: AttentionChoice,
): void {
  if (!canvas || drawn.get(canvas) === attentions) return;
  drawn.set(canvas, attentions);
  const { rows: height, columns: width } = attentions;
  const black = { width, height, data: new Uint8Array(3 * width * height) };
  const { box: _, ...map } = attentionMap(attentions, choice);
  const { data } = overlayAttention(black, map, { opacity: 1, resampling: "nearest" });
  const image = new ImageData(width, height);
  image.data.fill(255);
  for (let i = 0; i < width * height; i++) image.data.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}
