import { ROUTE_GROUPS } from "../../http/route_group.ts";
import { bundle } from "../bundle.ts";
import { ROOT } from "../esbuild.ts";
import { denoConfig } from "../functions/deno.ts";
import type { BuiltTarget, TargetOptions } from "../target.ts";

/** The entry module: a function with all routes. */
const ENTRY = "functions/all/index.ts";

/** Files that are beside this module as they are. */
const FILES = ["Dockerfile", "health.js", "inference-service.yaml"];

/** What must not go into the image: all but what the Dockerfile names. */
const IGNORED = `.vit-msn-edge.json
.dockerignore
Dockerfile
inference-service.yaml
`;

/** Makes the folder of a container image: the service with all routes, and manifests to build and run it. */
export async function container(
  { out, model, decode, withOnnxruntime }: TargetOptions,
): Promise<BuiltTarget> {
  const bundled = await bundle(ENTRY, "service.js", {
    routes: ROUTE_GROUPS,
    model: model.name,
    decode,
    withOnnxruntime,
    withWorkers: true,
    withConnections: true,
  });
  const files = new Map<string, Uint8Array>();
  for (const { name, bytes } of [...bundled, model]) files.set(name, bytes);
  files.set("deno.json", denoConfig());
  for (const name of FILES) {
    files.set(name, await Deno.readFile(new URL(`src/build/container/${name}`, ROOT)));
  }
  files.set(".dockerignore", new TextEncoder().encode(IGNORED));
  return {
    files,
    nextStep: "Build the image",
    command: ["docker", "build", "--tag", "vit-msn", out],
  };
}
