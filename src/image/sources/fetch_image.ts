import { isBrowser } from "../../host/is_browser.ts";
import { fromBase64 } from "../../tensor/base64.ts";
import { ImageDecodeError } from "../image_decode_error.ts";
import { DEFAULT_IMAGE_LIMITS } from "../image_header.ts";
import type { ImageSourceOptions } from "../image_source.ts";
import { readBody, tooLarge } from "./read_body.ts";

/** Of a server's download. */
const MAX_REDIRECTS = 3;

/** The prefix of a data URL in base64; its media type and parameters do not count. */
const DATA_URL = /^data:[^,]{0,200};base64,/i;

/**
 * Reads the image that a URL names.
 *
 * @param url `data:` in base64, `blob:`, `https:`, or `http:` for a page's own address or an allowed origin.
 * @param scope the global scope, or another one for tests.
 * @throws {TypeError} if it is no such URL, or its host is not allowed.
 * @throws {ImageDecodeError} if there is no image or it has too many bytes.
 */
export async function fetchImage(
  url: string | URL,
  { allowedHosts, limits, fetch = globalThis.fetch, signal }: ImageSourceOptions,
  scope: object = globalThis,
): Promise<Uint8Array> {
  const { maxBytes } = limits ?? DEFAULT_IMAGE_LIMITS;
  const text = String(url);
  if (/^data:/i.test(text)) return dataUrlBytes(text, maxBytes);
  const isPage = isBrowser(scope);
  // Packages give servers a `location`, too.
  let address = parse(
    text,
    isPage ? (scope as { location: { href: string } }).location.href : undefined,
  );
  const init = signal ? { signal } : {};
  if (address.protocol === "blob:") return await readBody(await fetch(address, init), maxBytes);
  if (isPage) {
    if (allowedHosts) assertAllowed(address, allowedHosts);
    const response = await fetch(address, init);
    if (allowedHosts && response.url) assertAllowed(new URL(response.url), allowedHosts);
    return await readBody(response, maxBytes);
  }
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    assertAllowed(address, allowedHosts);
    const response = await fetch(address, { ...init, redirect: "manual" });
    const next = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || next === null) {
      return await readBody(response, maxBytes);
    }
    await response.body?.cancel();
    address = parse(next, address.href);
  }
  throw new ImageDecodeError(
    `Cannot read the image: its host redirects more than ${MAX_REDIRECTS} times`,
  );
}

function parse(text: string, base: string | undefined): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw new TypeError(
      `Cannot read the image: "${shorten(text)}" is no URL; pass a file's bytes, not its path`,
    );
  }
  if (!["https:", "http:", "blob:"].includes(url.protocol)) {
    throw new TypeError(
      `Cannot read the image: its URL starts with ${url.protocol}, not with https:, data: or blob:; ` +
        "pass a file's bytes",
    );
  }
  return url;
}

/** @throws {TypeError} if no entry of the list is the URL's host, or its origin. */
function assertAllowed(url: URL, hosts: readonly string[] | undefined): void {
  if (url.username || url.password) {
    throw new TypeError("Cannot fetch the image: its URL has credentials");
  }
  const isAllowed = hosts?.some((host) => {
    const entry = host.toLowerCase();
    return url.origin === entry || url.origin === `https://${entry}`;
  });
  if (isAllowed) return;
  throw new TypeError(
    hosts
      ? `Cannot fetch the image: allowedHosts has no ${shorten(url.origin)}`
      : `Cannot fetch the image: on a server, URLs need allowedHosts; pass { allowedHosts: ` +
        `["${shorten(url.host)}"] }, or fetch it and pass the response`,
  );
}

function dataUrlBytes(text: string, maxBytes: number): Uint8Array {
  const [prefix] = DATA_URL.exec(text.slice(0, 300)) ?? [];
  if (prefix === undefined) {
    throw new ImageDecodeError("Cannot read the image: it is a data URL, but not in base64");
  }
  // In a URL, a character may be three: %2B.
  if (text.length > prefix.length + 4 * maxBytes) throw tooLarge(maxBytes);
  const base64 = text.slice(prefix.length);
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(base64.includes("%") ? decodeURIComponent(base64) : base64);
  } catch {
    throw new ImageDecodeError("Cannot read the image: its data URL is not valid base64");
  }
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return bytes;
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
