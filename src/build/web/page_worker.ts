// Bundles the page off the server's thread: it takes seconds.
import { modelOfBuild } from "../model_of_build.ts";
import { startEsbuild } from "../esbuild.ts";
import { workerScope } from "../../host/worker_scope.ts";
import { pageFiles } from "./web_page.ts";

/** The page's files, or why there are none. */
export type PageReply = { readonly files: Map<string, Uint8Array> } | { readonly error: string };

const { postMessage } = workerScope<never, PageReply>();

try {
  await using _esbuild = await startEsbuild();
  const model = await modelOfBuild(undefined, "onnx", false);
  postMessage({ files: await pageFiles(model.bytes) });
} catch (error) {
  postMessage({ error: error instanceof Error ? error.message : String(error) });
}
