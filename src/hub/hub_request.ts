import { DownloadError } from "./download_error.ts";
import { isNotCapable } from "./file_error_code.ts";
import { retryAfter } from "./retry.ts";

/** How to reach a hub. */
export interface HubAccess {
  readonly fetch: (url: URL, init: RequestInit) => Promise<Response>;
  /** The hub's origin, such as `https://huggingface.co`. */
  readonly endpoint: string;
  /** An access token. It is sent only to the hub, never to a server that the hub redirects to. */
  readonly token?: string | undefined;
  /** What a user sets to a token, for messages; default `HF_TOKEN`. */
  readonly tokenName?: string;
  /** Returns the time in milliseconds since 1970. */
  readonly now: () => number;
}

/** A hub's response after all redirects. */
export interface HubAnswer {
  /** Its status is 200, 206, 404 or 416. */
  readonly response: Response;
  /** The `ETag` from the server that sends the bytes. */
  readonly etag: string | undefined;
  /** The SHA-256 of the whole file in hexadecimal, if the hub states it. */
  readonly sha256: string | undefined;
  /** The size of the whole file in bytes, if the hub states it. */
  readonly linkedSize: number | undefined;
  /** The commit that the revision points to, if the hub states it. */
  readonly commit: string | undefined;
}

const MAX_REDIRECTS = 5;

/**
 * Requests a file from a hub. It follows redirects itself, because only the hub's own response has the
 * headers that describe the file, and because the token must not reach other servers.
 *
 * @throws {DownloadError} if a server cannot be reached, redirects too often or to an unsafe address,
 * or responds with another status than 200, 206, 404 or 416.
 * @throws {Error} named `NotCapable` if Deno lacks the permission to connect to a server.
 */
export async function requestHub(
  address: string,
  headers: Readonly<Record<string, string>>,
  access: HubAccess,
  signal: AbortSignal,
): Promise<HubAnswer> {
  const hub = new URL(access.endpoint).origin;
  const stated = { etag: "", size: "", commit: "" };
  let url = new URL(address);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await send(url, headers, access, signal);
    stated.etag ||= response.headers.get("X-Linked-ETag") ?? "";
    stated.size ||= response.headers.get("X-Linked-Size") ?? "";
    stated.commit ||= response.headers.get("X-Repo-Commit") ?? "";
    const location = response.headers.get("Location");
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (![200, 206, 404, 416].includes(response.status)) {
        await response.body?.cancel();
        throw statusError(response, url, hub, access);
      }
      const etag = response.headers.get("ETag") ?? undefined;
      return {
        response,
        etag,
        sha256: toSha256(stated.etag || (etag ?? "")),
        linkedSize: toSize(stated.size),
        commit: stated.commit || undefined,
      };
    }
    await response.body?.cancel();
    url = redirected(location, url);
  }
  throw new DownloadError(`there are more than ${MAX_REDIRECTS} redirects`);
}

async function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { fetch, endpoint, token }: HubAccess,
  signal: AbortSignal,
): Promise<Response> {
  const authorised = token !== undefined && url.origin === new URL(endpoint).origin;
  const request = {
    signal,
    headers: {
      // With compression, sizes and ranges would not refer to the file.
      "Accept-Encoding": "identity",
      ...headers,
      ...(authorised ? { Authorization: `Bearer ${token}` } : {}),
    },
  };
  try {
    const response = await fetch(url, { ...request, redirect: "manual" });
    if (response.type !== "opaqueredirect") return response;
    // Browsers do not tell where to. They follow it, and keep the token from other servers themselves.
    return await fetch(url, { ...request, redirect: "follow" });
  } catch (error) {
    if (isNotCapable(error)) throw error;
    throw new DownloadError(`${url.host} cannot be reached: ${reason(error)}`, { retry: true });
  }
}

/** Returns an error's message without URLs: one behind a redirect contains a temporary credential. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\bhttps?:\/\/\S+/g, "…");
}

function redirected(location: string, from: URL): URL {
  const url = URL.canParse(location, from) ? new URL(location, from) : undefined;
  const safe = url && (url.protocol === "https:" || url.protocol === from.protocol);
  if (safe && !url.username && !url.password) return url;
  throw new DownloadError(`${from.host} redirects to an address that is not safe to follow`);
}

function statusError(
  response: Response,
  url: URL,
  hub: string,
  { tokenName = "HF_TOKEN", now }: HubAccess,
): DownloadError {
  const { status } = response;
  const refused = status === 401 || status === 403;
  if (refused && url.origin === hub) {
    return new DownloadError(
      `${url.host} denies access (HTTP ${status}): it does not exist, or it is private or gated and ` +
        `${tokenName} is not set to a token that may read it`,
    );
  }
  const after = retryAfter(response.headers, now());
  // A file server denies access when its signed URL has expired; the next attempt gets a new URL.
  const retry = refused || status === 408 || status === 429 || status >= 500;
  return new DownloadError(`${url.host} answers HTTP ${status}`, { retry, after });
}

function toSha256(etag: string): string | undefined {
  return /^(?:W\/)?"?([0-9a-f]{64})"?$/i.exec(etag)?.[1]?.toLowerCase();
}

function toSize(text: string | null): number | undefined {
  return text && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
