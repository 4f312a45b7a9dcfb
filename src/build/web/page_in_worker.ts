import type { PageReply } from "./page_worker.ts";

/**
 * Makes the files of the page, with the embedded model, in a worker.
 *
 * @throws {Error} if they cannot be made, as without a network before esbuild is in the cache.
 */
export async function pageInWorker(): Promise<Map<string, Uint8Array>> {
  const worker = new Worker(new URL("./page_worker.ts", import.meta.url), { type: "module" });
  try {
    const reply = await new Promise<PageReply>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
    if ("error" in reply) throw new Error(reply.error);
    return reply.files;
  } finally {
    worker.terminate();
  }
}
