/// <reference lib="dom" />
import type { LoadedModel } from "../loaded_model.ts";

const hashes = new WeakMap<Uint8Array, Promise<string>>();

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * The file of the model that is loaded.
 *
 * @throws {Error} if the model came from a checkpoint.
 */
export function modelBytes(model: LoadedModel): Uint8Array {
  if (model.bytes) return model.bytes;
  throw new Error(
    "Cannot teach this model: it came from a checkpoint, and a classifier is written into an .onnx file; " +
      "make one by `deno task convert NAME --out model.onnx` and load that",
  );
}

/** The SHA-256 of the file of the model that is loaded. */
export function modelHash(model: LoadedModel): Promise<string> {
  const bytes = modelBytes(model);
  const hash = hashes.get(bytes) ?? sha256(bytes);
  hashes.set(bytes, hash);
  return hash;
}
