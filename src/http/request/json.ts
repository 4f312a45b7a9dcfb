import { Problem } from "../problem.ts";

/** Extra members and elements that a document may have beyond those of its route. */
const MAX_OTHER_VALUES = 2000;

/** The deepest nesting of any route: a tensor [B, C, H, W] in a list of inputs has 8 levels. */
const MAX_DEPTH = 16;

/** A number of full precision, a comma and a line's indentation. */
const MAX_BYTES_PER_VALUE = 64;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const WHITESPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Whether a body is a JSON object, by its first byte: no image format begins like that. Only the
 * spaces that a document may begin with are skipped.
 */
export function isJsonObject(body: Uint8Array): boolean {
  const start = body.subarray(0, MAX_OTHER_VALUES).find((byte) => !WHITESPACE.has(byte));
  return start === OPEN_OBJECT;
}

/**
 * Reads untrusted JSON. Its nesting, values and bytes outside of strings are counted before it is parsed: a
 * parser takes up to a hundred times as much memory as a document has bytes.
 *
 * @param maxValues the most members and elements, besides some for names and options.
 * @throws {Problem} 400 if it is not JSON, 413 if it is over a limit.
 */
export function parseJson(bytes: Uint8Array, maxValues: number): unknown {
  assertSize(bytes, maxValues + MAX_OTHER_VALUES);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, "The request's body is not JSON");
  }
}

function assertSize(bytes: Uint8Array, maxValues: number): void {
  const maxBytes = maxValues * MAX_BYTES_PER_VALUE;
  let depth = 0;
  let values = 1;
  let outsideStrings = 0;
  for (let i = 0; i < bytes.length; i++, outsideStrings++) {
    switch (bytes[i]) {
      case QUOTE:
        i = endOfString(bytes, i + 1);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > MAX_DEPTH) {
          throw new Problem(400, `The request's JSON is nested deeper than ${MAX_DEPTH} levels`);
        }
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
      case COLON:
        values++;
    }
    if (values > maxValues || outsideStrings >= maxBytes) {
      throw new Problem(
        413,
        `The request's JSON has more than ${maxValues} values, or more space around them than they need`,
      );
    }
  }
}

/** The position of the quote that ends a string, or the end of all. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let from = start;;) {
    const end = bytes.indexOf(QUOTE, from);
    if (end === -1) return bytes.length;
    let first = end;
    while (first > start && bytes[first - 1] === BACKSLASH) first--;
    const isEscaped = (end - first) % 2 === 1;
    if (!isEscaped) return end;
    from = end + 1;
  }
}
