// Serves a built page as a static host does. For Node.js.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
  jpg: "image/jpeg",
  wasm: "application/wasm",
  webmanifest: "application/manifest+json",
};

/** How {@linkcode serveSite} serves. */
export interface SiteOptions {
  /** Whether the headers of the file `_headers` are sent. */
  readonly withHeaders: boolean;
  /** Bytes a second of the model's download; default: at once. */
  readonly modelSpeed?: number;
}

/** A site that is being served. */
export interface Site {
  readonly url: string;
  /** The paths that were asked for. */
  readonly requests: string[];
  /** Another page, in place of all files. */
  other?: string | undefined;
  close(): Promise<void>;
}

/** Serves a folder. */
export async function serveSite(
  folder: string,
  { withHeaders, modelSpeed = Infinity }: SiteOptions,
): Promise<Site> {
  const requests: string[] = [];
  const headers = withHeaders ? await headersOf(folder) : {};
  const server = createServer(async ({ url }, response) => {
    const path = new URL(url!, "http://localhost").pathname.slice(1) || "index.html";
    requests.push(path);
    if (site.other !== undefined) {
      response.writeHead(200, { "content-type": "text/html" });
      response.end(site.other);
      return;
    }
    try {
      const body = await readFile(`${folder}/${path}`);
      response.writeHead(200, {
        ...headers,
        "content-type": TYPES[path.split(".").at(-1)!] ?? "application/octet-stream",
        "content-length": body.length,
        "cache-control": path === "model.onnx" ? "no-store" : "max-age=3600",
      });
      if (path === "model.onnx" && modelSpeed < Infinity) {
        const piece = Math.ceil(modelSpeed / 20);
        for (let i = 0; i < body.length; i += piece) {
          response.write(body.subarray(i, i + piece));
          await setTimeout(50);
        }
        response.end();
      } else response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const site: Site = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return site;
}

/** What `_headers` says of all paths. */
async function headersOf(folder: string): Promise<Record<string, string>> {
  const [, ...lines] = (await readFile(`${folder}/_headers`, "utf8")).trimEnd().split("\n");
  return Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  }));
}
