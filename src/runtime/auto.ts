import type { OutputName } from "../vit_msn/graph.ts";
import type { ModelFile } from "../vit_msn/model_file.ts";
import type { ViTMSNWeights } from "../vit_msn/weights.ts";
import type { NamedTensors, RunOptions, Runtime, Session } from "./runtime.ts";
import type { OrtPackage } from "./onnxruntime/ort_package.ts";
import { type SimdOptions, simdRuntime } from "./simd/runtime.ts";
import type { GpuWins } from "./onnxruntime/webgpu/choice.ts";

/** How {@linkcode autoRuntime} works. */
export interface AutoOptions extends SimdOptions {
  /**
   * Whether a file that only onnxruntime-web can run may have its one thread, though `threads` is more;
   * default no: it is an error.
   */
  readonly allowSingleThread?: boolean;
  /** onnxruntime-web; default is the one that is installed beside this package. */
  readonly ort?: OrtPackage;
}

/**
 * Models of smaller files compute an image in less time than it takes to ask for a graphics card, which
 * is a quarter of a second.
 */
const MIN_GPU_BYTES = 40_000_000;

/**
 * This project's own engine for the files that `deno task convert` writes, and onnxruntime-web for all
 * others. Of the former, large ones in `f32` or `f16` go to the graphics card, batch by batch, if there
 * is a real one and a measurement when the model is loaded says that it is faster. If it fails, the
 * processor does the work, from then on.
 *
 * @throws {RangeError} if an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel } from "../model/load_model.ts";
 * import { autoRuntime } from "./auto.ts";
 *
 * const bytes = await Deno.readFile("functions/_shared/model.onnx");
 * await using model = await loadModel(bytes, { runtime: autoRuntime() });
 * assertEquals(model.defaultOutputs, ["last_hidden_state", "logits"]);
 * ```
 */
export function autoRuntime(
  { allowSingleThread = false, ort, ...options }: AutoOptions = {},
): Runtime {
  const simd = simdRuntime(options);
  return {
    async createSession(file) {
      if ("reason" in file.own) {
        if (!allowSingleThread && options.threads !== undefined && options.threads > 1) {
          throw new TypeError(
            `Cannot use the ONNX model: ${file.own.reason}; ` +
              "onnxruntime-web, which could, runs in one thread",
          );
        }
        const { onnxruntimeWasm } = await import("./onnxruntime/wasm.ts");
        return await onnxruntimeWasm(ort).createSession(file);
      }
      const session = await simd.createSession(file);
      if (!isForGpu(file.bytes, file.own.weights)) return session;
      const wins = await gpuWinsFor(file, session);
      if (!wins) return session;
      return new AutoSession(session, wins, async () => {
        const { onnxruntimeWebgpu } = await import("./onnxruntime/webgpu/runtime.ts");
        return await onnxruntimeWebgpu(ort).createSession(file);
      });
    },
  };
}

/** Whether a model is worth asking for a graphics card, where the host has any. */
function isForGpu(bytes: Uint8Array, weights: ViTMSNWeights): boolean {
  return bytes.length >= MIN_GPU_BYTES && globalThis.navigator?.gpu !== undefined &&
    ![...weights.values()].some(({ dtype }) => dtype === "int8");
}

async function gpuWinsFor({ config }: ModelFile, session: Session): Promise<GpuWins | undefined> {
  let choice;
  try {
    choice = await import("./onnxruntime/webgpu/choice.ts");
  } catch {
    return undefined; // a bundle without onnxruntime-web
  }
  return await choice.measureGpuWins(config, session);
}

/** A model on the processor, and on the graphics card for batches that are sooner done there. */
export class AutoSession implements Session {
  readonly concurrency: number;
  readonly #processor: Session;
  readonly #wins: GpuWins;
  readonly #createOnGpu: () => Promise<Session>;
  #onGpu: Promise<Session> | undefined;
  #hasFailed = false;

  /** @param createOnGpu is called when the graphics card is first used. */
  constructor(processor: Session, wins: GpuWins, createOnGpu: () => Promise<Session>) {
    this.concurrency = processor.concurrency ?? 1;
    this.#processor = processor;
    this.#wins = wins;
    this.#createOnGpu = createOnGpu;
  }

  async run(
    inputs: NamedTensors,
    outputs: readonly OutputName[],
    options?: RunOptions,
  ): Promise<NamedTensors> {
    const isPlain = [...inputs.keys()].join() === "pixel_values" &&
      outputs.every((name) => name === "last_hidden_state" || name === "logits");
    const [images] = inputs.get("pixel_values")!.shape;
    if (isPlain && !this.#hasFailed && this.#wins(images!)) {
      try {
        this.#onGpu ??= this.#createOnGpu();
        return await (await this.#onGpu).run(inputs, outputs, options);
      } catch {
        this.#hasFailed = true;
      }
    }
    return await this.#processor.run(inputs, outputs, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processor[Symbol.asyncDispose]();
    const onGpu = await this.#onGpu?.catch(() => undefined);
    await onGpu?.[Symbol.asyncDispose]();
  }
}
