import { dropAlpha } from "../formats/rgba.ts";
import { ImageDecodeError } from "../image_decode_error.ts";
import type { ImageLimits } from "../image_header.ts";
import type { DrawableSource } from "../image_source.ts";
import type { RawImage } from "../raw_image.ts";
import { assertSize } from "./assert_size.ts";

/** The classes of what a canvas draws. Their instances have no `data`. */
const DRAWABLE = [
  "HTMLImageElement",
  "HTMLCanvasElement",
  "HTMLVideoElement",
  "ImageBitmap",
  "OffscreenCanvas",
  "VideoFrame",
];

/** The members of drawable objects that this module uses. */
interface Drawable {
  readonly width?: number;
  readonly height?: number;
  /** Of an image element: without CSS. */
  readonly naturalWidth?: number;
  readonly naturalHeight?: number;
  readonly videoWidth?: number;
  readonly videoHeight?: number;
  readonly displayWidth?: number;
  readonly displayHeight?: number;
  /** Of an image element: waits until it is loaded. */
  decode?(): Promise<void>;
}

/** The members of a 2D canvas that this module uses. */
interface Canvas {
  width: number;
  height: number;
  getContext(kind: "2d", options: { willReadFrequently: boolean }): {
    drawImage(image: unknown, x: number, y: number): void;
    getImageData(
      x: number,
      y: number,
      width: number,
      height: number,
    ): { data: Uint8ClampedArray };
  } | null;
}

/** What makes canvases. */
interface CanvasScope {
  readonly OffscreenCanvas?: new (width: number, height: number) => Canvas;
  readonly document?: { createElement(name: "canvas"): Canvas };
}

/** Whether it is what a canvas draws: by name, for another realm's objects; Deno's bitmaps have none. */
export function isDrawable(source: unknown): source is DrawableSource {
  const name = Object.prototype.toString.call(source).slice("[object ".length, -1);
  return DRAWABLE.includes(name) || DRAWABLE.some((name) => {
    const { [name]: Class } = globalThis as Record<string, unknown>;
    return typeof Class === "function" && source instanceof Class;
  });
}

/**
 * Draws an image on a canvas and reads its pixels.
 *
 * @param scope the global scope, or another one for tests.
 * @throws {TypeError} if the host has no 2D canvas.
 * @throws {ImageDecodeError} if the size exceeds a limit, or an image element cannot be loaded.
 * @throws {DOMException} `SecurityError` if the image comes from another origin without CORS.
 */
export async function drawImage(
  source: DrawableSource,
  limits: ImageLimits,
  scope: object = globalThis,
): Promise<RawImage> {
  const drawable = source as Drawable;
  try {
    await drawable.decode?.();
  } catch {
    throw new ImageDecodeError("Cannot read the image: the page could not load it");
  }
  const { displayWidth, displayHeight, videoWidth, videoHeight, naturalWidth, naturalHeight } =
    drawable;
  const width = displayWidth ?? videoWidth ?? naturalWidth ?? drawable.width!;
  const height = displayHeight ?? videoHeight ?? naturalHeight ?? drawable.height!;
  assertSize(width, height, limits);
  const canvas = makeCanvas(width, height, scope as CanvasScope);
  const context = canvas?.getContext("2d", { willReadFrequently: true });
  if (!context) {
    throw new TypeError(
      "Cannot read the image: this host has no canvas to draw it on; pass the bytes of its file",
    );
  }
  context.drawImage(source, 0, 0);
  return { width, height, data: dropAlpha(context.getImageData(0, 0, width, height).data) };
}

function makeCanvas(
  width: number,
  height: number,
  { OffscreenCanvas, document }: CanvasScope,
): Canvas | undefined {
  if (OffscreenCanvas) return new OffscreenCanvas(width, height);
  const canvas = document?.createElement("canvas");
  return canvas && Object.assign(canvas, { width, height });
}
