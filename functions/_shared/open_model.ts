import type { ServedModel } from "../../src/http/served_model.ts";
import { createPackedModel } from "../../src/model/packed_model.ts";
import { modelOf } from "../../src/model/vit_msn_model.ts";
import { isPackedFile, readPackedFile } from "../../src/runtime/simd/packed_file.ts";
import type { Session } from "../../src/runtime/runtime.ts";
import type { ModelDescription } from "../../src/vit_msn/model_file.ts";
import { sha256 } from "../../src/tensor/sha256.ts";

/** Opens a model's ONNX file with the engines of a host. */
export type OpenOnnx = (
  bytes: Uint8Array,
) => Promise<{ description: ModelDescription; session: Session }>;

/** Imports an {@linkcode OpenOnnx}, whose code a packed model does not need. */
export type ImportOpenOnnx = () => Promise<{ readonly openOnnx: OpenOnnx }>;

/**
 * Opens a model's file: packed weights or ONNX.
 *
 * @param expected the SHA-256 of the ONNX file; a packed file states that of the file it was made of.
 * @throws {Error} if it is another one.
 * @throws {SyntaxError} if the file is damaged.
 */
export async function openModel(
  bytes: Uint8Array<ArrayBuffer>,
  expected: string | undefined,
  importOpenOnnx: ImportOpenOnnx,
): Promise<ServedModel> {
  if (!isPackedFile(bytes)) return await openOnnxModel(bytes, expected, importOpenOnnx);
  const file = readPackedFile(bytes);
  assertSha256(file.sha256, expected);
  return { model: await createPackedModel(file), sha256: file.sha256 };
}

/** The same for ONNX alone: what a packed file states of itself proves nothing when it was fetched. */
async function openOnnxModel(
  bytes: Uint8Array<ArrayBuffer>,
  expected: string | undefined,
  importOpenOnnx: ImportOpenOnnx,
): Promise<ServedModel> {
  const hash = await sha256(bytes);
  assertSha256(hash, expected);
  const { openOnnx } = await importOpenOnnx();
  const { description, session } = await openOnnx(bytes);
  return { model: modelOf(description, session), sha256: hash };
}

/**
 * Opens the ONNX file at a URL.
 *
 * @throws {Error} if it cannot be had, or has another SHA-256.
 */
export async function fetchModel(
  url: URL,
  expected: string | undefined,
  importOpenOnnx: ImportOpenOnnx,
): Promise<ServedModel> {
  const response = await fetch(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`Cannot fetch the model: the status is ${response.status}`);
  }
  return await openOnnxModel(
    new Uint8Array(await response.arrayBuffer()),
    expected,
    importOpenOnnx,
  );
}

function assertSha256(hash: string, expected: string | undefined): void {
  if (!expected || hash === expected) return;
  throw new Error(`Cannot use the model: its SHA-256 is ${hash}, not ${expected}`);
}
