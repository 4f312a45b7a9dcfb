import { sha256 } from "../../tensor/sha256.ts";
import type { IndexedModel } from "../../search/vector_index.ts";
import type { ModelFile } from "../../vit_msn/model_file.ts";
import { storedWeightType } from "../../vit_msn/stored_weight_type.ts";
import { type Option, requiredOption, UsageError } from "../command.ts";

/** The option of every command that uses an index. */
export const DB_OPTION = {
  value: "FILE",
  help: "The index, a SQLite file; its vectors are in a file beside it; required",
} as const satisfies Option;

/**
 * The path of the index.
 *
 * @throws {UsageError} if it is missing, or an address.
 */
export function dbOption(value: string | undefined): string {
  const path = requiredOption("db", value);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path)) {
    throw new UsageError(`--db is ${path}, not the path of a file`);
  }
  return path;
}

/** What an index is told of a model: its hash, its weights' type, and how vectors are made with it. */
export async function indexedModelOf(
  file: ModelFile,
  { name, pool, decode }: Pick<IndexedModel, "name" | "pool" | "decode">,
): Promise<IndexedModel> {
  const { hiddenSize: dimension } = file.config;
  const dtype = storedWeightType(file.proto);
  return { sha256: await sha256(file.bytes), name, pool, decode, dtype, dimension };
}
