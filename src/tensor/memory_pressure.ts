import { IS_WORKERD } from "../host/workerd.ts";

/** Memory that is requested and not used, in bytes: enough for V8 to collect garbage first. */
const PRESSURE = 2 ** 28;

/**
 * Makes V8 collect garbage. It counts only what it knows to be large: the handles of a graphics card's
 * memory and the instances of WebAssembly look small, and may wait for a long time.
 *
 * @returns whether the host had so much memory to give; one that has not collects by itself. Cloudflare's
 * Workers have not, and are not asked: they could be ended for it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pressMemory } from "./memory_pressure.ts";
 *
 * assertEquals(typeof pressMemory(), "boolean");
 * ```
 */
export function pressMemory(): boolean {
  if (IS_WORKERD) return false;
  try {
    new ArrayBuffer(PRESSURE);
    return true;
  } catch {
    return false;
  }
}

/** After that much garbage, in bytes, V8 is made to collect it. */
const MAX_GARBAGE = 2 ** 25;

let garbage = 0;

/** Counts memory that was left to the garbage collector, and makes V8 collect it once it is much. */
export function countGarbage(bytes: number): void {
  garbage += bytes;
  if (garbage <= MAX_GARBAGE) return;
  garbage = 0;
  pressMemory();
}

/** Of a buffer in ES2024: moves its memory elsewhere, here to nowhere. */
interface Movable {
  transfer?(bytes: number): unknown;
}

/**
 * Frees an array that nobody will read again. Other hosts than Cloudflare's Workers leave it to the garbage
 * collector, which there would let more gather than fits.
 *
 * @param bytes the whole of its buffer goes.
 */
export function discard({ buffer }: Uint8Array | Uint8ClampedArray): void {
  // One that has gone already is empty, and cannot be moved.
  if (IS_WORKERD && buffer.byteLength > 0) (buffer as ArrayBufferLike & Movable).transfer?.(0);
}
