import { fromFileUrl } from "@std/path";
import { bundle } from "./support/tools.ts";

/**
 * Makes a Worker of the project in a folder, as wrangler does: WebAssembly and the model are modules of their
 * own.
 *
 * @param program of `programs/`; it has `workerOf`.
 * @returns the Worker's folder.
 */
export async function workerdFolder(folder: string, program = "cloudflare"): Promise<string> {
  const source = fromFileUrl(new URL(`programs/${program}.ts`, import.meta.url));
  await Deno.writeTextFile(
    `${folder}/index.js`,
    `import model from "@vit-msn/edge/model.onnx";
import { workerOf } from "./worker.mjs";
export default workerOf(model);
`,
  );
  await bundle(source, ["--packages=external", `--outfile=${folder}/worker.mjs`], folder);
  return await bundleWorker(folder);
}

/**
 * Bundles the Worker `index.js` of a folder.
 *
 * @returns the bundle's folder.
 */
export async function bundleWorker(folder: string): Promise<string> {
  const out = `${folder}/worker`;
  await bundle("index.js", [
    "--splitting",
    "--conditions=workerd",
    "--loader:.wasm=copy",
    "--loader:.onnx=copy",
    `--outdir=${out}`,
  ], folder);
  return out;
}
