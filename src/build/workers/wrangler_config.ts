/** The date whose runtime the Worker was tested with. */
export const COMPATIBILITY_DATE = "2026-04-01";

/** The folder of the static assets. */
export const ASSETS = "assets";

/** Wrangler's settings of the Worker. */
export function wranglerConfig(): string {
  return `# Deploy: npx wrangler deploy
# Keys for clients: npx wrangler secret put API_KEYS
name = "vit-msn"
main = "index.js"
compatibility_date = "${COMPATIBILITY_DATE}"
no_bundle = true

[[rules]]
type = "ESModule"
globs = ["*.js"]

[[rules]]
type = "CompiledWasm"
globs = ["*.wasm"]

# The Worker answers every request, so the model is not public.
[assets]
directory = "./${ASSETS}"
binding = "ASSETS"
run_worker_first = true

# Settings: ALLOW_ORIGINS, DECODE, MODEL_NAME, MODEL_SHA256, MODEL_URL
# [vars]
# MODEL_NAME = "vit-msn"

# A model in R2 instead, packed (model.packed of a build) or ONNX; it also needs the var MODEL_KEY.
# [[r2_buckets]]
# binding = "MODEL_BUCKET"
# bucket_name = "models"
`;
}
