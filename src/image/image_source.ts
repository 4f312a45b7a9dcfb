import type { DecodeOptions } from "./decode_options.ts";

/**
 * Pixels, row by row from the top left, 8 bits a channel: a `RawImage`, an `ImageData`, or what
 * transformers.js calls RawImage.
 */
export interface PixelSource {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** `height × width × channels` bytes. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** 1 grey, 3 RGB or 4 RGBA; by default it follows from the number of bytes. */
  readonly channels?: 1 | 2 | 3 | 4;
}

/** A file or an answer to read: a `Blob`, a `File` or a `Response`. */
export interface ByteSource {
  /** Reads all bytes. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Instances of a global class, where the program's types have it; otherwise `never`. */
export type GlobalInstance<Name extends string> = typeof globalThis extends
  Record<Name, { prototype: infer T }> ? T
  : never;

/** What a browser draws on a canvas. */
export type DrawableSource =
  | GlobalInstance<"HTMLImageElement">
  | GlobalInstance<"HTMLCanvasElement">
  | GlobalInstance<"HTMLVideoElement">
  | GlobalInstance<"ImageBitmap">
  | GlobalInstance<"OffscreenCanvas">
  | GlobalInstance<"VideoFrame">;

/**
 * An image in any form: an image file's bytes; a `Blob`, `File` or `Response` of them; a URL; pixels; or, in
 * browsers, what can be drawn on a canvas.
 */
export type ImageSource =
  | Uint8Array
  | ArrayBuffer
  | ByteSource
  | URL
  | string
  | PixelSource
  | GlobalInstance<"ImageData">
  | DrawableSource;

/** How images are read. */
export interface ImageSourceOptions extends DecodeOptions {
  /**
   * The only hosts that images are fetched from, such as `images.example.com` for https on its usual port, or
   * an origin such as `http://localhost:8000`. Servers fetch from no other host; browsers from any by default.
   */
  readonly allowedHosts?: readonly string[];
  /** Fetches URLs; default is the global one. */
  readonly fetch?: (url: URL, init: RequestInit) => Promise<Response>;
  /** Aborts a download. */
  readonly signal?: AbortSignal;
}
