// Runs a Worker in workerd and prints its answer. For Node.js, which miniflare needs.
// Arguments: the folder of the tools, that of the Worker (index.js is its entry), that of the images, a file to
// post.

import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import process from "node:process";

/** What this program uses of miniflare. */
interface Miniflare {
  dispatchFetch(url: string, init: RequestInit): Promise<Response>;
  dispose(): Promise<void>;
}
interface MiniflarePackage {
  Miniflare: new (options: Record<string, unknown>) => Miniflare;
  Response: typeof Response;
}

const TYPES: Readonly<Record<string, string>> = {
  js: "ESModule",
  wasm: "CompiledWasm",
  onnx: "Data",
};

const [tools, folder, images, posted] = process.argv.slice(2) as [string, string, string, string?];
const require = createRequire(`${tools}/package.json`);
const miniflare = require("miniflare") as MiniflarePackage;

const names = (await readdir(folder)).sort((a, b) =>
  Number(b === "index.js") - Number(a === "index.js")
);
const server = new miniflare.Miniflare({
  modulesRoot: folder,
  modules: await Promise.all(names.map(async (name) => ({
    type: TYPES[name.split(".").at(-1)!],
    path: `${folder}/${name}`,
    contents: await readFile(`${folder}/${name}`),
  }))),
  compatibilityDate: "2026-01-01",
  serviceBindings: {
    async IMAGES({ url }: Request) {
      return new miniflare.Response(new Uint8Array(await readFile(images + new URL(url).pathname)));
    },
  },
});
try {
  const response = await server.dispatchFetch(
    "http://worker/",
    posted ? { method: "POST", body: new Uint8Array(await readFile(posted)) } : {},
  );
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  console.log(text);
} finally {
  await server.dispose();
}
