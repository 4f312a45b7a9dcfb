import { commaList } from "../../src/http/comma_list.ts";
import type { DecodeMode } from "../../src/image/decode_options.ts";

/** A deployed function's settings, from its environment. */
export interface Settings {
  /** Where the model is: beside the function by default, else an https URL. */
  readonly modelUrl: URL;
  /** The SHA-256 that the model's ONNX file must have, in hexadecimal; required for a fetched model. */
  readonly modelSha256?: string;
  /** How JPEGs are decoded. */
  readonly decode: DecodeMode;
  /** The model's name for clients. */
  readonly name: string;
  /** Keys; each request must send one. If empty, no key is needed. */
  readonly apiKeys: readonly string[];
  readonly allowOrigins: readonly string[];
  readonly hostname: string;
  readonly port: number;
}

/** The model beside a function. The build replaces the name in bundles. */
const MODEL = "./model.onnx";

/** The values of `DECODE`, the default first. A bundle has those of its build. */
const DECODE_MODES = "standard,exact,fast";

/**
 * Reads a function's settings: `MODEL_URL` and `MODEL_SHA256`, `MODEL_NAME`, `DECODE`, `API_KEYS` and
 * `ALLOW_ORIGINS` (several with commas), `HOST` and `PORT`, which hosts of functions choose themselves.
 *
 * @param base where the function's files are.
 * @throws {Error} if a setting cannot be used; the message names it.
 */
export function readSettings(env: Pick<Deno.Env, "get">, base: string): Settings {
  const text = env.get("MODEL_URL") || MODEL;
  const modelUrl = URL.parse(text, base);
  if (!modelUrl || !["file:", "https:"].includes(modelUrl.protocol)) {
    throw new Error(`Cannot use MODEL_URL: it is ${text}, neither a file nor an https URL`);
  }
  const modelSha256 = env.get("MODEL_SHA256")?.toLowerCase();
  if (modelSha256 && !/^[0-9a-f]{64}$/.test(modelSha256)) {
    throw new Error("Cannot use MODEL_SHA256: it is not 64 hexadecimal digits");
  }
  if (modelUrl.protocol === "https:" && !modelSha256) {
    throw new Error("Cannot use MODEL_URL: a model that is fetched needs its MODEL_SHA256");
  }
  const modes = commaList(DECODE_MODES) as DecodeMode[];
  const decode = modes.find((mode) => mode === (env.get("DECODE") || modes[0]));
  if (!decode) {
    throw new Error(
      `Cannot use DECODE: it is ${env.get("DECODE")}, not one of ${modes.join(", ")}; exact ` +
        "needs a bundle built with --decode exact",
    );
  }
  const port = Number(env.get("PORT") || 8000);
  if (!Number.isSafeInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`Cannot use PORT: it is ${env.get("PORT")}, not from 0 to 65535`);
  }
  return {
    modelUrl,
    ...(modelSha256 ? { modelSha256 } : {}),
    decode,
    name: env.get("MODEL_NAME") || "vit-msn",
    apiKeys: commaList(env.get("API_KEYS")),
    allowOrigins: commaList(env.get("ALLOW_ORIGINS")),
    hostname: env.get("HOST") || "127.0.0.1",
    port,
  };
}
