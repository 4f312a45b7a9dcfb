import { readBytes } from "../../hub/read_whole.ts";
import type { Option } from "../command.ts";

/** The option `--force` of every command that writes models. */
export const FORCE_OPTION = {
  help: "Overwrite what is there, even if this command did not make it",
} as const satisfies Option;

/** What a command makes: a model that was converted, one with a fitted head, or a head by itself. */
export type Product = "converted" | "fitted" | "head";

const MAKERS: Readonly<Record<Product, string>> = {
  converted: "deno task convert",
  fitted: "deno task fit --out",
  head: "deno task fit --head-only",
};

/** Who made a file and what it has stand before its graph; some megabytes hold them. */
const MAX_BEGINNING = 4_000_000;

/**
 * Makes sure that writing a file destroys nothing but an earlier output of the same command. What is empty,
 * or no regular file, such as a pipe, has nothing to lose.
 *
 * @throws {Error} if there is another file, unless `force` is set; the message says so.
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
    return; // there is no such file, or writing it will say what is wrong
  }
  if (productOf(beginning) === product) return;
  throw new Error(
    `Cannot write ${path}: a file is there that \`${
      MAKERS[product]
    }\` did not make; choose another ` +
      "name, or add --force to overwrite it",
  );
}

/**
 * What made a file, by the fields of ONNX's ModelProto: producer_name (2), and the keys (1) of
 * metadata_props (14), each with its length.
 */
function productOf(beginning: Uint8Array): Product | undefined {
  const text = new TextDecoder("latin1").decode(beginning);
  if (!text.slice(0, 32).includes("\x12\x0cvit-msn-edge")) return undefined;
  if (!text.includes("\x0a\x09head.json")) return "converted";
  return text.includes("\x0a\x0bconfig.json") ? "fitted" : "head";
}
