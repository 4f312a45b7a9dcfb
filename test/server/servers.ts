import { bundleArgs, bundled } from "./bundle.ts";
import type { ServerOptions } from "./server_process.ts";

/** A way to serve, with what makes it ready; that goes when it is disposed of. */
export type Serving = readonly [
  name: string,
  prepare: () => Promise<ServerOptions & Disposable>,
];

const nothing = { [Symbol.dispose]: () => {} };

/** Every way to serve. */
export const SERVERS: readonly Serving[] = [
  ["serve", () => Promise.resolve(nothing)],
  ["serve:parallel", () =>
    Promise.resolve({
      ...nothing,
      args: ["run", "--allow-net", "--allow-read", "--allow-env", "functions/parallel/index.ts"],
      env: { DENO_JOBS: "2" },
    })],
  ["a bundle", async () => {
    const folder = await bundled();
    const { path: cwd } = folder;
    return { args: bundleArgs("classify"), cwd, [Symbol.dispose]: () => folder[Symbol.dispose]() };
  }],
];
