import { fromFileUrl } from "@std/path";
import { bundle } from "./support/tools.ts";

/**
 * Makes a Worker of the project in a folder, as wrangler does: WebAssembly and the model are modules of their
 * own.
 *
 * @returns the Worker's folder.
 */
export async function workerdFolder(folder: string): Promise<string> {
  const program = fromFileUrl(new URL("programs/cloudflare.ts", import.meta.url));
  await Deno.writeTextFile(
    `${folder}/index.js`,
    `import model from "@vit-msn/edge/model.onnx";
import { workerOf } from "./cloudflare.mjs";
export default workerOf(model);
`,
  );
  await bundle(program, ["--packages=external", `--outfile=${folder}/cloudflare.mjs`], folder);
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
