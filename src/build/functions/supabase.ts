import { join } from "@std/path";
import { bundle } from "../bundle.ts";
import type { BuiltTarget, TargetOptions } from "../target.ts";
import { FUNCTIONS } from "./functions.ts";

/** Bundles the functions for Supabase, which has no workers. */
export async function supabaseFunctions(
  { out, model, decode, withOnnxruntime }: TargetOptions,
): Promise<BuiltTarget> {
  const files = new Map<string, Uint8Array>();
  const encoder = new TextEncoder();
  for (const [name, { entry, routes }] of Object.entries(FUNCTIONS)) {
    const settings = { routes, model: model.name, decode, withOnnxruntime };
    const parts = await bundle(entry, "index.js", {
      ...settings,
      withWorkers: false,
      withConnections: false,
    });
    for (const file of [...parts, model]) files.set(join("functions", name, file.name), file.bytes);
    files.set(join("functions", name, "deno.json"), encoder.encode("{}\n"));
  }
  return {
    files: files.set("config.toml", encoder.encode(supabaseConfig(model.name))),
    nextStep: `Deploy it, in the folder that contains ${out} as supabase`,
    command: ["supabase", "functions", "deploy", ...Object.keys(FUNCTIONS)],
  };
}

function supabaseConfig(model: string): string {
  return Object.keys(FUNCTIONS).map((name) =>
    `[functions.${name}]
enabled = true
verify_jwt = true
entrypoint = "./functions/${name}/index.js"
static_files = ["./functions/${name}/*.wasm", "./functions/${name}/${model}"]
`
  ).join("\n");
}
