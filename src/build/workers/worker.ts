import type { BuiltTarget, TargetOptions } from "../target.ts";
import { bundleWorker } from "./bundle_worker.ts";
import { ASSETS, wranglerConfig } from "./wrangler_config.ts";

/**
 * The largest model, in bytes: Cloudflare's limit of an asset. Larger ones would not fit into a Worker's
 * memory of 128 MB either, once as a file and once as weights.
 */
export const MAX_MODEL_BYTES = 25 * 2 ** 20;

/**
 * Makes a Cloudflare Worker with all routes: its modules, the model as an asset, and `wrangler.toml`.
 *
 * @throws {RangeError} if the model is too large.
 */
export async function cloudflareWorker(
  { out, model, decode }: Pick<TargetOptions, "out" | "model" | "decode">,
): Promise<BuiltTarget> {
  if (model.bytes.length > MAX_MODEL_BYTES) {
    throw new RangeError(
      `Cannot build a Worker: the model has ${model.bytes.length} bytes, more than ` +
        `${MAX_MODEL_BYTES}; convert a smaller one, or with --dtype int8`,
    );
  }
  const bundled = await bundleWorker({ model: model.name, decode });
  return {
    files: new Map([
      ...bundled.map(({ name, bytes }) => [name, bytes] as const),
      [`${ASSETS}/${model.name}`, model.bytes],
      ["wrangler.toml", new TextEncoder().encode(wranglerConfig())],
    ]),
    nextStep: `Deploy it, in the folder ${out}`,
    command: ["npx", "wrangler", "deploy"],
  };
}
