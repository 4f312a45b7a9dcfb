import { concat } from "@std/bytes/concat";
import { readErrorMessage } from "../hub/file_error.ts";
import { readWhole } from "../hub/read_whole.ts";
import { readModel } from "../onnx/read_model.ts";
import { packModelFile } from "../runtime/simd/pack_model_file.ts";
import { sha256 } from "../tensor/sha256.ts";
import { isSelfContained, toModelFile, verifiedWeights } from "../vit_msn/model_file.ts";
import type { BundledFile } from "./bundle.ts";

/**
 * Reads the model, checks that the bundle can run it and returns its file.
 *
 * @param path an ONNX file; default is the embedded model.
 * @param weights how the weights go into the bundle.
 * @param anyTool whether the bundle runs models of other tools.
 * @throws {TypeError} if another tool made the ONNX file, and the bundle cannot run that.
 * @throws {Error} if the file cannot be read.
 */
export async function modelOfBuild(
  path: string | undefined,
  weights: "packed" | "onnx",
  anyTool: boolean,
): Promise<BundledFile> {
  if (path === undefined) {
    const { default: bytes } = await import("../../functions/_shared/model.onnx", {
      with: { type: "bytes" },
    });
    return await modelFile(bytes, weights, anyTool);
  }
  try {
    return await modelFile(await readWhole(path), weights, anyTool);
  } catch (error) {
    throw new Error(`${path}: ${readErrorMessage(error)}`);
  }
}

async function modelFile(
  bytes: Uint8Array,
  weights: "packed" | "onnx",
  anyTool: boolean,
): Promise<BundledFile> {
  if (anyTool) return { name: "model.onnx", bytes };
  const proto = readModel(bytes);
  // The bundle contains only the ONNX file, not its sidecar files.
  if (!isSelfContained(proto)) {
    throw new TypeError("Cannot use the ONNX model: another tool made it");
  }
  const file = toModelFile(bytes, proto);
  verifiedWeights(file);
  if (weights === "onnx") return { name: "model.onnx", bytes };
  return { name: "model.packed", bytes: concat(packModelFile(file, await sha256(bytes))) };
}
