import { fromBase64 } from "../../tensor/base64.ts";
import { Problem } from "../problem.ts";

/** The prefix of a data URL in base64; its media type and parameters are ignored. */
const DATA_URL = /^data:[^,]{0,200};base64,/i;

/** Whether a text is a URL to fetch. */
export function isRemoteUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * The bytes of an image in base64 or a data URL.
 *
 * @param name what to call it in an error.
 * @throws {Problem} 400 if it is neither.
 */
export function imageTextBytes(text: string, name: string): Uint8Array<ArrayBuffer> {
  const [prefix = ""] = DATA_URL.exec(text.slice(0, 300)) ?? [];
  if (prefix === "" && /^data:/i.test(text)) {
    throw new Problem(400, `${name} is a data URL, but not in base64`);
  }
  const base64 = prefix === "" ? text : text.slice(prefix.length);
  try {
    // In a URL, it may be percent-encoded.
    return fromBase64(base64.includes("%") ? decodeURIComponent(base64) : base64);
  } catch {
    throw new Problem(400, `${name} is neither base64 nor a data URL in base64`);
  }
}
