import type { DecodeOptions } from "../../image/decode_options.ts";
import type { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import { sha256 } from "../../tensor/sha256.ts";
import type { IndexedModel } from "../../search/vector_index.ts";
import type { ModelFile } from "../../vit_msn/model_file.ts";
import { storedWeightType } from "../../vit_msn/stored_weight_type.ts";
import { isPostgresUrl, readPostgresAddress } from "../../search/postgres/postgres_address.ts";
import { errorMessage, type Option, requiredOption, UsageError } from "../command.ts";
import { decodeOptions } from "./decode_option.ts";

/** The option of every command that uses an index. */
export const DB_OPTION = {
  value: "DB",
  help: "The index: a SQLite file, with its vectors in a file beside it, or " +
    "postgres://USER:PASSWORD@HOST/DATABASE?schema=NAME; required",
} as const satisfies Option;

/**
 * The path or the address of the index.
 *
 * @throws {UsageError} if it is missing, or another address; the message has no password.
 */
export function dbOption(value: string | undefined): string {
  const db = requiredOption("db", value);
  if (isPostgresUrl(db)) {
    try {
      readPostgresAddress(db);
    } catch (error) {
      throw new UsageError(`--db: ${errorMessage(error)}`);
    }
    return db;
  }
  const [protocol] = /^[a-z][a-z0-9+.-]+:\/\//i.exec(db) ?? [];
  if (protocol === undefined) return db;
  throw new UsageError(`--db is ${protocol}…, neither the path of a file nor postgres://…`);
}

/** How the images of an index are embedded, and hence the queries: in another way, they could not be compared. */
export function embeddingOptions(
  { pool, decode }: IndexedModel,
  processor: ViTImageProcessor,
): { readonly pool: "cls" | "mean"; readonly decoding: DecodeOptions } {
  return { pool: pool === "mean" ? "mean" : "cls", decoding: decodeOptions(decode, processor) };
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
