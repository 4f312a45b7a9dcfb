import { sha256 } from "../../tensor/sha256.ts";

/** A file as it is answered. */
interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
  /** Compressed once, when it is first asked for; nothing, if that does not pay. */
  gzip?: Promise<Uint8Array<ArrayBuffer>>;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  jpg: "image/jpeg",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
};

/** What gets smaller by compression. */
const PAYS = /^text\/|svg|json|wasm/;

/** Names that bundlers give files by their contents: they never change. */
const HASHED = /-[A-Z0-9]{8}\.js$/;

/**
 * Serves files from memory: with an ETag each, so that a browser that has a file asks only whether it is
 * still the same.
 *
 * @param files by their paths below the root; `index.html` is at `/`.
 * @param headers of every answer.
 * @returns a function that answers `GET` and `HEAD` of these files, and returns nothing for all else.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { staticFiles } from "./static_files.ts";
 *
 * const files = new Map([["index.html", new TextEncoder().encode("<h1>Hello</h1>")]]);
 * const serve = await staticFiles(files, {});
 * const response = await serve(new Request("http://localhost/"));
 * assertEquals(await response?.text(), "<h1>Hello</h1>");
 * assertEquals(await serve(new Request("http://localhost/else")), undefined);
 * ```
 */
export async function staticFiles(
  files: ReadonlyMap<string, Uint8Array>,
  headers: Readonly<Record<string, string>>,
): Promise<(request: Request) => Promise<Response | undefined>> {
  const byPath = new Map<string, StaticFile>();
  for (const [path, bytes] of files) {
    byPath.set(path === "index.html" ? "/" : `/${path}`, {
      bytes: new Uint8Array(bytes),
      type: TYPES[path.split(".").at(-1)!] ?? "application/octet-stream",
      etag: `"${(await sha256(bytes)).slice(0, 32)}"`,
    });
  }
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") return undefined;
    const { pathname } = new URL(request.url);
    const file = byPath.get(pathname);
    return file && await answer(request, file, {
      ...headers,
      "cache-control": HASHED.test(pathname) ? "public, max-age=31536000, immutable" : "no-cache",
    });
  };
}

async function answer(
  request: Request,
  file: StaticFile,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const { etag, type } = file;
  const known = request.headers.get("if-none-match")?.split(/\s*,\s*/) ?? [];
  const own = { ...headers, etag, vary: "accept-encoding" };
  // A proxy that compresses makes an ETag weak.
  if (known.some((tag) => tag.replace(/^W\//, "") === etag)) {
    return new Response(null, { status: 304, headers: own });
  }
  const isCompressed = PAYS.test(type) &&
    /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  const bytes = isCompressed ? await (file.gzip ??= gzip(file.bytes)) : file.bytes;
  return new Response(request.method === "HEAD" ? null : bytes, {
    headers: {
      ...own,
      "content-type": type,
      "content-length": String(bytes.length),
      ...(isCompressed ? { "content-encoding": "gzip" } : {}),
    },
  });
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Response(bytes).body!.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
