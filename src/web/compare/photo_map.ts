/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import type { ComparedPhoto } from "./compared_photo.ts";
import { type Mark, markOf, markPath } from "./palette.ts";
import { type Direction, stepTowards } from "./step_towards.ts";

/** Around the points, in CSS pixels. */
const MARGIN = 18;
/** How far a pointer may be from a point. */
const REACH = 14;
/** Points are smaller where there are many. */
const [RADIUS, SMALL_RADIUS, MANY] = [6, 3.5, 400];

/** What the map shows. */
export interface MapContent {
  readonly photos: readonly ComparedPhoto[];
  /** [n, 2], in any unit. */
  readonly points: Float32Array;
  /** The photos that are compared. */
  readonly chosen: readonly (ComparedPhoto | undefined)[];
}

/** What the map tells. */
export interface MapEvents {
  /** A pointer or a key points at a photo, or at none. */
  onPoint(photo: ComparedPhoto | undefined): void;
  /** A photo is chosen. */
  onChoose(photo: ComparedPhoto): void;
}

/** A map of photos on a canvas; similar photos lie near each other. */
export class PhotoMap {
  readonly #events: MapEvents;
  #canvas: HTMLCanvasElement | undefined;
  #content: MapContent = { photos: [], points: new Float32Array(), chosen: [] };
  /** In CSS pixels. */
  #places: Float32Array = new Float32Array();
  /** All photos, drawn for the points `#drawn`. */
  #base: HTMLCanvasElement | undefined;
  #drawn: Float32Array | undefined;
  #pointed = -1;
  readonly #observer = new ResizeObserver(() => this.#draw());
  readonly #show = (element: Element | undefined) => {
    if (element === this.#canvas) return;
    this.#observer.disconnect();
    this.#canvas = element as HTMLCanvasElement | undefined;
    if (element) this.#observer.observe(element);
  };

  constructor(events: MapEvents) {
    this.#events = events;
  }

  /** The map of photos. */
  render(content: MapContent): TemplateResult {
    const before = this.#content.photos[this.#pointed];
    this.#content = content;
    this.#pointed = before ? content.photos.findIndex(({ hash }) => hash === before.hash) : -1;
    queueMicrotask(() => this.#draw());
    return html`
      <canvas
        ${ref(this.#show)}
        class="map"
        tabindex="0"
        role="application"
        aria-label="Map of ${content.photos
          .length} photos. Arrow keys go from photo to photo, Enter chooses one."
        @pointermove=${(event: PointerEvent) => this.#point(this.#at(event))}
        @pointerleave=${() => this.#point(-1)}
        @click=${(event: MouseEvent) => {
          this.#point(this.#at(event));
          this.#choose();
        }}
        @focus=${() => this.#pointed < 0 && this.#point(0)}
        @keydown=${(event: KeyboardEvent) => this.#key(event)}
      ></canvas>
    `;
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Enter" || event.key === " ") this.#choose();
    else if (event.key.startsWith("Arrow")) {
      const from = Math.max(0, this.#pointed);
      this.#point(stepTowards(this.#places, from, event.key as Direction));
    } else return;
    event.preventDefault();
  }

  #choose(): void {
    const photo = this.#content.photos[this.#pointed];
    if (photo) this.#events.onChoose(photo);
  }

  #point(index: number): void {
    if (index === this.#pointed || index >= this.#content.photos.length) return;
    this.#pointed = index;
    this.#events.onPoint(this.#content.photos[index]);
  }

  /** The photo at a pointer, or -1. */
  #at({ offsetX, offsetY }: MouseEvent): number {
    let [best, least] = [-1, REACH];
    for (let i = 0; i < this.#places.length / 2; i++) {
      const distance = Math.hypot(
        this.#places[2 * i]! - offsetX,
        this.#places[2 * i + 1]! - offsetY,
      );
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  #draw(): void {
    const canvas = this.#canvas;
    if (!canvas?.clientWidth) return;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d")!;
    const { photos, points, chosen } = this.#content;
    if (points.length === 0) return;
    const radius = photos.length > MANY ? SMALL_RADIUS : RADIUS;
    if (
      canvas.width !== this.#base?.width || canvas.height !== this.#base.height ||
      points !== this.#drawn
    ) {
      this.#drawn = points;
      this.#places = placesOf(points, width, height);
      this.#base = basePicture(canvas, photos, this.#places, radius, scale);
    }
    context.drawImage(this.#base, 0, 0);
    context.scale(scale, scale);
    const { color: ink } = getComputedStyle(canvas);
    const place = (i: number, draw: () => void) => {
      context.save();
      context.translate(this.#places[2 * i]!, this.#places[2 * i + 1]!);
      draw();
      context.restore();
    };
    context.strokeStyle = context.fillStyle = ink;
    context.lineWidth = 2;
    context.font = "600 13px system-ui, sans-serif";
    chosen.forEach((photo, slot) => {
      const i = photo ? photos.findIndex(({ hash }) => hash === photo.hash) : -1;
      if (i < 0) return;
      place(i, () => {
        context.beginPath();
        context.arc(0, 0, radius + 5, 0, 2 * Math.PI);
        context.stroke();
        context.fillText(String(slot + 1), radius + 8, -radius);
      });
    });
    const pointed = this.#pointed;
    if (pointed < 0) return;
    place(pointed, () => {
      context.beginPath();
      context.arc(0, 0, radius + 4, 0, 2 * Math.PI);
      context.stroke();
      context.fillStyle = markOf(photos[pointed]!.classPlace).colour;
      context.fill(new Path2D(markPath(markOf(photos[pointed]!.classPlace), 1.3 * radius)));
    });
  }
}

/** All photos, drawn once: what is pointed at is drawn over it. */
function basePicture(
  { width, height }: HTMLCanvasElement,
  photos: readonly ComparedPhoto[],
  places: Float32Array,
  radius: number,
  scale: number,
): HTMLCanvasElement {
  const base = document.createElement("canvas");
  base.width = width;
  base.height = height;
  const context = base.getContext("2d")!;
  context.scale(scale, scale);
  context.globalAlpha = 0.8;
  const sprites = new Map<number, HTMLCanvasElement>();
  const side = 4 * radius;
  photos.forEach(({ classPlace }, i) => {
    const sprite = sprites.get(classPlace) ?? spriteOfMark(markOf(classPlace), radius, scale);
    sprites.set(classPlace, sprite);
    const [x, y] = [places[2 * i]! - side / 2, places[2 * i + 1]! - side / 2];
    context.drawImage(sprite, x, y, side, side);
  });
  return base;
}

/** A mark to be drawn many times; its side is four radii. */
function spriteOfMark(mark: Mark, radius: number, scale: number): HTMLCanvasElement {
  const sprite = document.createElement("canvas");
  sprite.width = sprite.height = Math.ceil(4 * radius * scale);
  const context = sprite.getContext("2d")!;
  context.scale(sprite.width / (4 * radius), sprite.height / (4 * radius));
  context.translate(2 * radius, 2 * radius);
  context.fillStyle = mark.colour;
  context.fill(new Path2D(markPath(mark, radius)));
  return sprite;
}

/** Fits points into a canvas with one scale for both axes. */
function placesOf(points: Float32Array, width: number, height: number): Float32Array {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  points.forEach((x, i) => {
    low[i % 2] = Math.min(low[i % 2]!, x);
    high[i % 2] = Math.max(high[i % 2]!, x);
  });
  const [spanX, spanY] = [high[0]! - low[0]!, high[1]! - low[1]!];
  const scale = Math.min(
    (width - 2 * MARGIN) / (spanX || 1e-9),
    (height - 2 * MARGIN) / (spanY || 1e-9),
  );
  const isOnePlace = !(spanX > 0 || spanY > 0);
  return points.map((x, i) => {
    const middle = (low[i % 2]! + high[i % 2]!) / 2;
    const centre = i % 2 === 0 ? width / 2 : height / 2;
    return isOnePlace ? centre : centre + (i % 2 === 0 ? 1 : -1) * (x - middle) * scale;
  });
}
