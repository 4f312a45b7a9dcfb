import { sha256 } from "../../tensor/sha256.ts";
import { ROOT } from "../esbuild.ts";
import type { BuiltTarget, TargetOptions } from "../target.ts";
import { bundlePage, bundleServiceWorker } from "./bundle_page.ts";
import { CONTENT_SECURITY_POLICY, PAGE_HEADERS } from "./security.ts";

/** Files of `src/web/` that the page has as they are. */
const STATIC = ["style.css", "icon.svg", "manifest.webmanifest"];

/** The drawn photos that the page offers for a try. */
export const EXAMPLES: readonly string[] = [
  "airplane",
  "automobile",
  "bird",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

/**
 * Makes the page: static files for any host. `service_worker.js` keeps them in the browser, by their
 * hashes; `_headers` has the headers for hosts that read such a file, such as Cloudflare Pages or Netlify.
 */
export async function webPage(
  { out, model }: Pick<TargetOptions, "out" | "model">,
): Promise<BuiltTarget> {
  const files = await pageFiles(model.bytes);
  return {
    files: new Map([...files, ["_headers", new TextEncoder().encode(headersFile())]]),
    nextStep: `Upload the folder ${out} to any static host, or look at it`,
    command: ["npx", "http-server", out],
  };
}

/**
 * The files of the page by their paths.
 *
 * @param model an ONNX file of this project.
 */
export async function pageFiles(model: Uint8Array): Promise<Map<string, Uint8Array>> {
  const read = (path: string) => Deno.readFile(new URL(path, ROOT));
  const files = new Map(await bundlePage());
  for (const name of STATIC) files.set(name, await read(`src/web/${name}`));
  files.set("model.onnx", model);
  for (const name of EXAMPLES) {
    files.set(`examples/${name}.jpg`, await read(`test/images/${name}.jpg`));
  }
  const hashes: Record<string, string> = {};
  for (const [path, bytes] of files) hashes[path] = await sha256(bytes);
  const encode = (text: string) => new TextEncoder().encode(text);
  // By which the service worker knows the HTML of its own build.
  const build = (await sha256(encode(JSON.stringify(hashes)))).slice(0, 32);
  const html = encode(
    (await Deno.readTextFile(new URL("src/web/index.html", ROOT)))
      .replace("CONTENT_SECURITY_POLICY", CONTENT_SECURITY_POLICY)
      .replace('content="BUILD"', `content="${build}"`),
  );
  files.set("index.html", html);
  hashes["index.html"] = await sha256(html);
  const constants = { FILES: hashes, HEADERS: PAGE_HEADERS, BUILD: build };
  files.set("service_worker.js", await bundleServiceWorker(constants));
  return files;
}

function headersFile(): string {
  const lines = Object.entries(PAGE_HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
  return `/*\n${lines.join("")}`;
}
