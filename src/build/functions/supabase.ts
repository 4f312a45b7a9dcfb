import { join } from "@std/path";
import { bundle } from "../bundle.ts";
import type { BuiltTarget, TargetOptions } from "../target.ts";
import { FUNCTIONS, INDEX_FUNCTION } from "./functions.ts";

/** Bundles the functions for Supabase, which has no workers. */
export async function supabaseFunctions(
  { out, model, decode, withOnnxruntime, withIndex }: TargetOptions,
): Promise<BuiltTarget> {
  const files = new Map<string, Uint8Array>();
  const encoder = new TextEncoder();
  const functions = { ...FUNCTIONS, ...(withIndex ? INDEX_FUNCTION : {}) };
  for (const [name, { entry, routes, fromNpm }] of Object.entries(functions)) {
    const settings = { routes, model: model.name, decode, withOnnxruntime };
    const parts = await bundle(entry, "index.js", {
      ...settings,
      withWorkers: false,
      withConnections: false,
      ...(fromNpm ? { fromNpm } : {}),
    });
    for (const file of [...parts, model]) files.set(join("functions", name, file.name), file.bytes);
    files.set(join("functions", name, "deno.json"), encoder.encode("{}\n"));
  }
  const names = Object.keys(functions);
  return {
    files: files.set("config.toml", encoder.encode(supabaseConfig(names, model.name))),
    nextStep: `Deploy it, in the folder that contains ${out} as supabase`,
    command: ["supabase", "functions", "deploy", ...names],
  };
}

function supabaseConfig(names: readonly string[], model: string): string {
  return names.map((name) =>
    `[functions.${name}]
enabled = true
verify_jwt = ${!(name in INDEX_FUNCTION)}
entrypoint = "./functions/${name}/index.js"
static_files = ["./functions/${name}/*.wasm", "./functions/${name}/${model}"]
`
  ).join("\n");
}
