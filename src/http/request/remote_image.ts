import { LimitedBytesTransformStream } from "@std/streams/limited-bytes-transform-stream";
import { nodeLookups } from "../../host/node_lookups.ts";
import type { Deadline } from "../deadline.ts";
import { Problem } from "../problem.ts";

/** How remote images are fetched. */
export interface RemoteImageOptions {
  /** The only hosts that images are fetched from, such as `images.example.com`. */
  readonly hosts: readonly string[];
  /** Default is the global one. */
  readonly fetch?: typeof fetch;
  /** The addresses of a host's name; default is the system's resolver, which Deno, Node.js and Bun have. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

const MAX_REDIRECTS = 3;

/**
 * Fetches an image from a host that is allowed: by https, on its usual port, without credentials; every
 * redirect is held to the same rules, and a name that leads to a private, local or reserved address is
 * refused. DNS rebinding is not prevented; the allow-list of hosts is the defence.
 *
 * @param maxBytes bytes are counted as they come.
 * @throws {Problem} 400 if the URL is not allowed, 413 if there are too many bytes, 502 if it cannot be
 * had.
 */
export async function fetchRemoteImage(
  text: string,
  maxBytes: number,
  deadline: Deadline,
  { hosts, fetch = globalThis.fetch, resolve = resolveHost }: RemoteImageOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const abort = new AbortController();
  let url = allowedUrl(text, undefined, hosts);
  try {
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      await deadline.wait(assertPublic(url.hostname, resolve));
      const response = await deadline.wait(
        fetch(url, {
          redirect: "manual",
          signal: abort.signal,
          headers: { accept: "image/jpeg, image/png, image/gif, image/webp" },
        }),
      );
      const location = response.headers.get("location");
      if (response.status >= 300 && response.status < 400 && location) {
        await response.body?.cancel();
        url = allowedUrl(location, url, hosts);
        continue;
      }
      if (!response.ok) {
        await response.body?.cancel();
        throw new Problem(502, `The image's host answered with the status ${response.status}`);
      }
      return await readLimited(response, maxBytes, deadline);
    }
    throw new Problem(502, `The image's host redirects more than ${MAX_REDIRECTS} times`);
  } catch (error) {
    abort.abort();
    if (error instanceof Problem) throw error;
    throw new Problem(502, "The image's host cannot be reached");
  }
}

/** @throws {Problem} 400 if it may not be fetched. */
function allowedUrl(text: string, base: URL | undefined, hosts: readonly string[]): URL {
  if (!URL.canParse(text, base)) throw new Problem(400, "The image's URL is not valid");
  const url = new URL(text, base);
  if (url.protocol !== "https:" || url.port !== "" || url.username || url.password) {
    throw new Problem(
      400,
      "The image's URL is not https://host/path, without port and credentials",
    );
  }
  if (!hosts.includes(url.hostname)) {
    throw new Problem(
      400,
      hosts.length === 0
        ? "Images are not fetched from URLs here: send the image itself"
        : "Images are not fetched from the host of the image's URL",
    );
  }
  return url;
}

async function assertPublic(
  host: string,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<void> {
  const addresses = await resolve(host);
  if (addresses.length === 0 || !addresses.every(isPublicAddress)) {
    throw new Problem(400, "The host of the image's URL leads to no public address");
  }
}

async function resolveHost(host: string): Promise<string[]> {
  const literal = host.replace(/^\[|\]$/g, "");
  if (/^[\d.]+$/.test(literal) || literal.includes(":")) return [literal];
  const lookups = await Promise.allSettled(
    "Deno" in globalThis
      ? [Deno.resolveDns(host, "A"), Deno.resolveDns(host, "AAAA")]
      : nodeLookups(host),
  );
  return lookups.flatMap((lookup) => lookup.status === "fulfilled" ? lookup.value : []);
}

/** Networks that are not the public internet (RFC 6890, RFC 4193 and others). */
const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/**
 * Whether an IP address is one of the public internet. Of IPv6 only global unicast counts, 2000::/3, without
 * documentation, 6to4 and Teredo, which carry IPv4 addresses.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { isPublicAddress } from "./remote_image.ts";
 *
 * assert(isPublicAddress("93.184.216.34") && !isPublicAddress("169.254.169.254"));
 * ```
 */
export function isPublicAddress(address: string): boolean {
  if (address.includes(":")) {
    const [first = "", second = ""] = address.toLowerCase().split(":");
    if (!/^[23][0-9a-f]{3}$/.test(first) || first === "2002") return false;
    return !(first === "2001" && (second === "" || second === "0" || second === "db8"));
  }
  const bits = bitsOf(address);
  if (bits === undefined) return false;
  return !PRIVATE_V4.some(([network, length]) =>
    bits >>> (32 - length) === bitsOf(network)! >>> (32 - length)
  );
}

function bitsOf(address: string): number | undefined {
  const parts = address.split(".").map(Number);
  const isAddress = /^\d{1,3}(\.\d{1,3}){3}$/.test(address) && parts.every((part) => part < 256);
  return isAddress ? parts.reduce((bits, part) => (bits << 8 | part) >>> 0, 0) : undefined;
}

async function readLimited(
  response: Response,
  maxBytes: number,
  deadline: Deadline,
): Promise<Uint8Array<ArrayBuffer>> {
  const limit = new LimitedBytesTransformStream(maxBytes, { error: true });
  try {
    const body = new Response(response.body?.pipeThrough(limit) ?? null);
    return new Uint8Array(await deadline.wait(body.arrayBuffer()));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Problem(413, `The image of the URL has more than ${maxBytes} bytes`);
  }
}
