import { fileErrorMessage } from "./image_files.ts";
import type { Option } from "./command.ts";

/** The option `--model` of every command that runs a model. */
export const MODEL_OPTION = {
  value: "FILE",
  help: "An ONNX model made by `convert`; default is the embedded one",
} as const satisfies Option;

/**
 * Reads the ONNX file that `--model` names, or the embedded one.
 *
 * @throws {Error} if it cannot be read; the message names the file.
 */
export async function readModelOption(path: string | undefined): Promise<Uint8Array> {
  if (path === undefined) {
    const embedded = await import("../../functions/_shared/model.onnx", {
      with: { type: "bytes" },
    });
    return embedded.default;
  }
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new Error(`Cannot read the model ${path}: ${fileErrorMessage(error)}`);
  }
}
