import { Problem } from "../problem.ts";

/** Files and texts of a multipart form. */
export interface Form {
  readonly files: readonly File[];
  readonly fields: readonly (readonly [name: string, text: string])[];
}

/** The longest boundary of RFC 2046. */
const MAX_BOUNDARY = 70;

/** Whether a media type is that of a multipart form. */
export function isForm(type: string): boolean {
  return /^\s*multipart\/form-data\b/i.test(type);
}

/**
 * Reads a multipart form. Its parts are counted before any is read.
 *
 * @param type the request's `content-type`.
 * @throws {Problem} 400 if it is malformed, 413 if it has more than `maxParts`.
 */
export async function readForm(
  body: Uint8Array<ArrayBuffer>,
  type: string,
  maxParts: number,
): Promise<Form> {
  const [, quoted, token] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type) ?? [];
  const boundary = quoted ?? token ?? "";
  if (boundary === "" || boundary.length > MAX_BOUNDARY) throw noForm();
  const delimiter = `\r\n--${boundary}`;
  // The first boundary may lack the line break; the last ends the form.
  const isFirstBare = startsWith(body, delimiter.slice(2));
  const delimiters = Number(isFirstBare) + countUpTo(maxParts + 2, body, delimiter);
  if (delimiters > maxParts + 1) {
    throw new Problem(413, `There are more than ${maxParts} parts in the request's form`);
  }
  if (countUpTo(1, body, `${delimiter}--`) === 0) throw noForm();
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "content-type": type } }).formData();
  } catch {
    throw noForm();
  }
  const files: File[] = [];
  const fields: [string, string][] = [];
  for (const [name, value] of form) {
    if (typeof value === "string") fields.push([name, value]);
    else files.push(value);
  }
  return { files, fields };
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return new TextEncoder().encode(text).every((byte, i) => bytes[i] === byte);
}

/** Counts the occurrences of a text that begins with a line break, up to `limit`. */
function countUpTo(limit: number, bytes: Uint8Array, text: string): number {
  const pattern = new TextEncoder().encode(text);
  let count = 0;
  for (let i = 0; i < bytes.length && count < limit; i++) {
    let k = 0;
    while (k < pattern.length && bytes[i + k] === pattern[k]) k++;
    if (k === pattern.length) count++;
    if (k > 1) i += k - 1; // the pattern has no other line break
  }
  return count;
}

function noForm(): Problem {
  return new Problem(400, "The request's body is not the multipart form that it says to be");
}
