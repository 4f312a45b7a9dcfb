import { join } from "@std/path";
import { bundle } from "../bundle.ts";
import type { BuiltTarget, TargetOptions } from "../target.ts";
import { FUNCTIONS } from "./functions.ts";

/** Bundles the functions for any host that runs Deno. */
export async function denoFunctions(options: TargetOptions): Promise<BuiltTarget> {
  const { out } = options;
  const permissions = ["--allow-net", `--allow-read=${out}`, "--allow-env"];
  return {
    files: await bundled(options, true, {}),
    nextStep: "Run it",
    command: ["deno", "run", ...permissions, join(out, "classify.js")],
  };
}

/** Bundles the functions for Deno Deploy, with its settings. */
export async function denoDeployFunctions(options: TargetOptions): Promise<BuiltTarget> {
  const deploy = { runtime: { type: "dynamic", entrypoint: "classify.js" } };
  return {
    files: await bundled(options, false, { deploy }),
    nextStep: `Deploy the folder ${options.out}; its deno.json sets the entry point classify.js`,
  };
}

async function bundled(
  { model, decode, withOnnxruntime }: TargetOptions,
  withConnections: boolean,
  config: Readonly<Record<string, unknown>>,
): Promise<Map<string, Uint8Array>> {
  const files = new Map([[model.name, model.bytes]]);
  for (const [name, { entry, routes }] of Object.entries(FUNCTIONS)) {
    const settings = { routes, model: model.name, decode, withOnnxruntime, withConnections };
    const parts = await bundle(entry, `${name}.js`, { ...settings, withWorkers: true });
    for (const { name, bytes } of parts) files.set(name, bytes);
  }
  return files.set("deno.json", denoConfig(config));
}

/** A bundle's `deno.json`: what Deno must be told of it. */
export function denoConfig(more: Readonly<Record<string, unknown>> = {}): Uint8Array<ArrayBuffer> {
  const config = { unstable: ["no-legacy-abort"], ...more };
  return new TextEncoder().encode(JSON.stringify(config, null, 2) + "\n");
}
