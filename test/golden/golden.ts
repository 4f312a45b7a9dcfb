import { readSafetensors, type Tensors } from "../../src/checkpoint/safetensors.ts";

const FOLDER = new URL("./", import.meta.url);

/** The path of a file of reference values. */
export function goldenPath(name: string): string {
  return new URL(name, FOLDER).pathname;
}

export function readGolden(name: string): Tensors {
  return readSafetensors(Deno.readFileSync(new URL(name, FOLDER)));
}

/** The largest absolute difference of two equally long lists. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} numbers against ${b.length}`);
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i]! - b[i]!)); // NaN stays NaN
  return max;
}

/** SHA-256 in hexadecimal. */
export async function sha256({ buffer, byteOffset, byteLength }: ArrayBufferView): Promise<string> {
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}
