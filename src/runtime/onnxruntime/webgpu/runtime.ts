import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import type * as Ort from "onnxruntime-web/wasm";
import type { GraphBounds } from "../../../onnx/graph_bounds.ts";
import type { ModelFile } from "../../../vit_msn/model_file.ts";
import { installedOrt, type OrtPackage } from "../ort_package.ts";
import { VariantSession } from "../variant_session.ts";
import { OnnxruntimeSession } from "../session.ts";
import type { NamedTensors, Runtime, Session } from "../../runtime.ts";
import { pressMemory } from "../../../tensor/memory_pressure.ts";
import { messageOf } from "./adapter.ts";
import { Gpu } from "./gpu.ts";

/** Compiling shaders for a large model takes seconds, in software minutes. */
const CREATE_TIMEOUT = 300_000;
/** Large batches on a slow card take seconds, in software minutes. */
const RUN_TIMEOUT = 300_000;
const RELEASE_TIMEOUT = 10_000;

/**
 * onnxruntime-web on WebGPU. All calls to it, of all models, are done one after the other: it fails or
 * hangs when two are under way. Models of `int8` run in part on the processor; `f32` and `f16` are
 * what it is for.
 *
 * A call that fails, because the device is lost or out of memory, or takes over five minutes, is an
 * error; the next call gets a new device. The session keeps the model's file for that.
 *
 * @param ort the package; default is the one that is installed beside this package.
 *
 * @example
 * ```ts
 * import { onnxruntimeWebgpu } from "./runtime.ts";
 * import { webgpuAdapter } from "./adapter.ts";
 *
 * async function runtimeForLargeModels() {
 *   return await webgpuAdapter() ? onnxruntimeWebgpu() : undefined;
 * }
 * console.log(typeof runtimeForLargeModels);
 * ```
 */
export function onnxruntimeWebgpu(ort: OrtPackage = installedOrt): Runtime {
  return {
    createSession: (file: ModelFile): Promise<Session> =>
      VariantSession.create(file, async (model, bounds) => {
        const session = new WebgpuSession(ort, model, bounds);
        await session.prepare();
        return session;
      }),
  };
}

/** The device that all sessions share, once it was asked for. */
let current: Gpu | undefined;

/**
 * That device, or a new one if it is lost. It stays for the sessions to come.
 *
 * @throws {Error} if there is no WebGPU, no adapter or no device.
 */
export async function sharedGpu(ort: OrtPackage): Promise<Gpu> {
  if (!current || current.isOver) current = await Gpu.open(ort);
  return current;
}

let last: Promise<unknown> = Promise.resolve();

/** Does work when all that was begun before is done. Each piece of work must end. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const result = last.then(work);
  last = result.catch(() => {});
  return result;
}

/** A session whose calls wait for those of all others, and which begins anew when its device is lost. */
class WebgpuSession implements Session {
  readonly #ort: OrtPackage;
  readonly #model: Uint8Array;
  readonly #bounds: GraphBounds;
  #gpu: Gpu | undefined;
  #session: OnnxruntimeSession | undefined;

  constructor(ort: OrtPackage, model: Uint8Array, bounds: GraphBounds) {
    this.#ort = ort;
    this.#model = model;
    this.#bounds = bounds;
  }

  async prepare(): Promise<void> {
    await inTurn(() => this.#onGpu());
  }

  run(inputs: NamedTensors, outputs: readonly string[]): Promise<NamedTensors> {
    return inTurn(async () => {
      const session = await this.#onGpu();
      return await this.#attempt(
        session.run(inputs, outputs),
        RUN_TIMEOUT,
        "Cannot run the model on WebGPU",
      );
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return inTurn(async () => {
      const session = this.#session;
      this.#session = undefined;
      // What is on a lost device went with it.
      if (!session || this.#gpu!.isOver) return;
      await this.#attempt(
        session[Symbol.asyncDispose](),
        RELEASE_TIMEOUT,
        "Cannot free the model on WebGPU",
      );
      await collectGarbage();
    });
  }

  /** The session on the open device. */
  async #onGpu(): Promise<OnnxruntimeSession> {
    if (this.#session && !this.#gpu!.isOver) return this.#session;
    this.#session = undefined;
    const gpu = await sharedGpu(this.#ort);
    this.#gpu = gpu;
    const options = {
      executionProviders: [{ name: "webgpu", device: gpu.device }],
      logSeverityLevel: 4, // what is wrong comes as an exception
    } as Ort.InferenceSession.SessionOptions;
    const created = await this.#attempt(
      gpu.ort.InferenceSession.create(this.#model, options),
      CREATE_TIMEOUT,
      "Cannot make the model ready on WebGPU",
    );
    this.#session = new OnnxruntimeSession(gpu.ort, created, this.#bounds);
    return this.#session;
  }

  /** Whatever fails leaves the device in doubt: it is given up. */
  async #attempt<T>(work: Promise<T>, timeout: number, failure: string): Promise<T> {
    try {
      return await deadline(work, timeout);
    } catch (error) {
      this.#gpu!.end();
      throw new Error(`${failure}: ${messageOf(error)}`);
    }
  }
}

/** A collection ends in a later turn of the event loop, and begins another. */
const TURNS = 3;

/**
 * The device's memory is freed when JavaScript collects its handles, and these are so small that it would
 * not for a long time: 20 models of a few MB took 500 MB. Memory that is asked for makes it collect.
 */
async function collectGarbage(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    if (!pressMemory()) return;
    await delay(1);
  }
}
