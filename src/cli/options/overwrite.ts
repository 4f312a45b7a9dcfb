import { readBytes } from "../../hub/read_whole.ts";
import type { Option } from "../command.ts";

/** The option `--force` of every command that writes models. */
export const FORCE_OPTION = {
  help: "Overwrite existing files, even if this command did not write them",
} as const satisfies Option;

/** The kind of output file: a converted model, a model with a fitted head, or a head alone. */
export type Product = "converted" | "fitted" | "head";

const MAKERS: Readonly<Record<Product, string>> = {
  converted: "deno task convert",
  fitted: "deno task fit --out",
  head: "deno task fit --head-only",
};

/** The producer and the metadata precede the graph; 4 MB are enough to contain them. */
const MAX_BEGINNING = 4_000_000;

/**
 * Checks that writing a file overwrites only an earlier output of the same command. An empty file, or one
 * that is not regular, such as a pipe, may always be written.
 *
 * @throws {Error} if another file exists and `force` is not set.
 */
export async function assertReplaceable(
  path: string,
  product: Product,
  force: boolean,
): Promise<void> {
  if (force) return;
  let beginning: Uint8Array;
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile || size === 0) return;
    using file = await Deno.open(path);
    beginning = await readBytes(file, Math.min(size, MAX_BEGINNING));
  } catch {
    return; // a new file, or one whose write reports the actual error
  }
  if (productOf(beginning) === product) return;
  throw new Error(
    `Cannot write ${path}: a file exists that \`${
      MAKERS[product]
    }\` did not make; choose another ` +
      "name, or add --force to overwrite it",
  );
}

/**
 * The kind of an ONNX file, from the fields of its ModelProto: producer_name (2), and the keys (1) of
 * metadata_props (14), each preceded by its length.
 */
function productOf(beginning: Uint8Array): Product | undefined {
  const text = new TextDecoder("latin1").decode(beginning);
  if (!text.slice(0, 32).includes("\x12\x0cvit-msn-edge")) return undefined;
  if (!text.includes("\x0a\x09head.json")) return "converted";
  return text.includes("\x0a\x0bconfig.json") ? "fitted" : "head";
}
