import { loadModel, type LoadOptions } from "../load_model.ts";
import type { PretrainedOptions } from "../pretrained/pretrained_options.ts";
import { ViTMSNModel } from "../vit_msn_model.ts";

/**
 * What a pipeline's model is made of: a repository of the hub, an address or a path, as `fromPretrained`
 * takes them; an ONNX file's bytes; or a model that runs already.
 */
export type ModelSource = string | URL | Uint8Array | ArrayBuffer | ViTMSNModel;

/** The progress of a download, as transformers.js tells it. */
export interface PipelineProgress {
  /** What it tells. */
  readonly status: "progress";
  /** The model. */
  readonly name: string;
  /** The file's name. */
  readonly file: string;
  /** Bytes received. */
  readonly loaded: number;
  /** The file's size in bytes, if it is known. */
  readonly total: number | undefined;
  /** In per cent, if the size is known. */
  readonly progress: number | undefined;
}

/** How {@linkcode openModel} opens a model, with transformers.js' names beside this project's. */
export interface OpenOptions extends Omit<PretrainedOptions, "dtype">, LoadOptions {
  /** The data type of the weights; default `f32`. `fp32`, `fp16` and `q8` are transformers.js' names. */
  readonly dtype?: PretrainedOptions["dtype"] | "fp32" | "fp16" | "q8";
  /** Where it runs: `wasm` or `cpu`, which are the same here. For a graphics card, pass a `runtime`. */
  readonly device?: "wasm" | "cpu";
  /** Called as the bytes of a file arrive. */
  readonly progress_callback?: (progress: PipelineProgress) => void;
}

/** A model, and what ends it. */
export interface OpenedModel {
  readonly model: ViTMSNModel;
  /** Frees the model, unless it is the caller's. */
  dispose(): Promise<void>;
}

/** Data types by transformers.js' names. */
const DTYPES = { fp32: "f32", fp16: "f16", q8: "int8" } as const;

/** The options of a model that is downloaded or read from files. */
const OF_PRETRAINED: readonly string[] = [
  "revision",
  "dtype",
  "token",
  "cache",
  "progress",
  "progress_callback",
  "endpoint",
  "fetch",
  "signal",
  "runtime",
];
/** The options of a model in bytes. */
const OF_BYTES: readonly string[] = ["config", "head", "preprocessorConfig", "runtime"];

/**
 * Opens a pipeline's model.
 *
 * @param options `fetch` also fetches images, so it fits every source.
 * @throws {TypeError} if an option does not exist, does not fit the source, or the model runs already.
 */
export async function openModel(
  source: ModelSource,
  { device, fetch, ...options }: OpenOptions,
): Promise<OpenedModel> {
  if (device !== undefined && device !== "wasm" && device !== "cpu") {
    throw new TypeError(
      `Cannot open the model: device is ${device}; for a graphics card, pass the runtime ` +
        "onnxruntimeWebgpu() of ./onnxruntime",
    );
  }
  if (source instanceof ViTMSNModel) {
    const [given] = Object.keys(options);
    if (given === undefined) return { model: source, dispose: () => Promise.resolve() };
    throw new TypeError(
      `Cannot open the model with ${given}: it runs already; pass the option to what made it`,
    );
  }
  const model = typeof source === "string" || source instanceof URL
    ? await fromPretrained(source, { ...options, ...(fetch ? { fetch } : {}) })
    : await fromBytes(source, options);
  return { model, dispose: async () => await model[Symbol.asyncDispose]() };
}

async function fromPretrained(source: string | URL, options: OpenOptions): Promise<ViTMSNModel> {
  assertOptions(options, OF_PRETRAINED);
  const { dtype, progress_callback, ...rest } = options;
  return await ViTMSNModel.fromPretrained(source, {
    ...rest,
    ...(dtype ? { dtype: dtype in DTYPES ? DTYPES[dtype as keyof typeof DTYPES] : dtype } : {}),
    ...(progress_callback
      ? {
        progress({ file, received, total }) {
          progress_callback({
            status: "progress",
            name: String(source),
            file,
            loaded: received,
            total,
            progress: total ? 100 * received / total : undefined,
          });
        },
      }
      : {}),
  } as PretrainedOptions);
}

async function fromBytes(
  bytes: Uint8Array | ArrayBuffer,
  options: OpenOptions,
): Promise<ViTMSNModel> {
  assertOptions(options, OF_BYTES);
  return await loadModel(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes), options);
}

function assertOptions(options: OpenOptions, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot open the model: it takes no option ${unknown}; there are ${known.join(", ")}`,
  );
}
