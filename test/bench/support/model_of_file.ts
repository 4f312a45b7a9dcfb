import { readErrorMessage } from "../../../src/hub/file_error.ts";
import { readSidecars } from "../../../src/cli/options/model_folder.ts";
import { readModelFile } from "../../../src/vit_msn/model_file.ts";
import { InputError } from "./arguments.ts";
import { type BenchModel, noiseOf } from "./models.ts";

/**
 * A user's own model file, with the config and the image processor beside it.
 *
 * @throws {InputError} if it cannot be read, or is no model.
 */
export async function modelOfFile(path: string): Promise<BenchModel> {
  const bytes = await readBytes(path);
  const { sidecars, file } = await readFile(path, bytes);
  const dtypes = new Set([...file.proto.graph.initializers.values()].map(({ dtype }) => dtype));
  const dtype = dtypes.has("int8") || dtypes.has("uint8")
    ? "int8"
    : dtypes.has("float16")
    ? "f16"
    : "f32";
  return {
    config: file.config,
    sidecars,
    dtypes: [dtype],
    isOwn: "weights" in file.own,
    fileOf: () => bytes,
    pixelsOf: (batch) => noiseOf(file.config, batch),
  };
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new InputError(`${path}: ${readErrorMessage(error)}`);
  }
}

async function readFile(path: string, bytes: Uint8Array) {
  const sidecars = await readSidecars(path).catch((error: Error) => {
    throw new InputError(error.message);
  });
  try {
    return { sidecars, file: readModelFile(bytes, sidecars) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new InputError(`${path}: ${error.message}`);
    }
    throw error;
  }
}
