import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "../../vit_msn/config.ts";
import type { OutputName } from "../../vit_msn/graph.ts";
import { NO_MASK_TOKEN } from "../../vit_msn/weights.ts";
import type { NamedTensors, RunOptions, Session } from "../runtime.ts";
import { Arena, sharedMemory, weightsArena } from "./arena.ts";
import {
  type DotProduct,
  instantiate,
  kernelModule,
  type Kernels,
  type SimdBuild,
} from "./kernels.ts";
import { readOutputs, readStep, writeImage, zeros } from "./image_io.ts";
import type { PackedModel } from "./packed_model.ts";
import { type CreateWorker, ThreadPool } from "./thread_pool.ts";
import type { Geometry, Workspace } from "./workspace.ts";
import { Workspaces } from "./workspaces.ts";
import { writeStruct } from "./write_struct.ts";

/** How a session works. */
export interface SimdSessionOptions {
  readonly build: SimdBuild;
  readonly dotProduct: DotProduct;
  /** With 1, no worker is started, and the caller's thread does the work. */
  readonly threads: number;
  readonly createWorker?: CreateWorker | undefined;
}

/** Puts a model's weights into a memory, as the kernels read them. */
export type PutWeights = (arena: Arena, kernels: Kernels) => PackedModel;

/**
 * A model on the project's own kernels. It takes every input and computes every output of the forward.
 * Of a batch, each thread computes images of its own; they share one that is alone, and what a batch
 * leaves over. Calls are done one after the other.
 */
export class SimdSession implements Session {
  readonly concurrency: number;
  readonly #config: ViTMSNConfig;
  readonly #options: SimdSessionOptions;
  readonly #module: WebAssembly.Module;
  readonly #model: PackedModel;
  /** Where the packed weights end and workspaces begin. */
  readonly #weightsEnd: number;
  #memory: WebAssembly.Memory;
  #kernels: Kernels;
  #workspaces: Workspaces | undefined;
  #pool: ThreadPool | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  private constructor(config: ViTMSNConfig, put: PutWeights, options: SimdSessionOptions) {
    this.#config = config;
    this.#options = options;
    this.concurrency = options.threads;
    this.#module = kernelModule(options.build);
    this.#memory = sharedMemory();
    this.#kernels = instantiate(this.#module, this.#memory, options.dotProduct);
    const arena = weightsArena(this.#memory, this.#kernels.freeMemory());
    this.#model = put(arena, this.#kernels);
    this.#weightsEnd = arena.end;
  }

  /**
   * Makes a session.
   *
   * @throws {RangeError} if there is not enough memory.
   * @throws {Error} if its threads cannot be started.
   */
  static async start(
    config: ViTMSNConfig,
    put: PutWeights,
    options: SimdSessionOptions,
  ): Promise<SimdSession> {
    const session = new SimdSession(config, put, options);
    try {
      await session.prepare();
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  }

  /** Gets ready for plain images, so that the first run need not. */
  async prepare(): Promise<void> {
    const { imageSize } = this.#config;
    const tokens = this.#patches(imageSize) + 1;
    (await this.#prepare({ imageSize, tokens, attentions: false })).shared(this.#memory);
  }

  run(
    inputs: NamedTensors,
    outputs: readonly OutputName[],
    options: RunOptions = {},
  ): Promise<NamedTensors> {
    const result = this.#last.then(() => this.#run(inputs, outputs, options));
    this.#last = result.catch(() => {});
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#pool?.[Symbol.dispose]();
    await this.#last;
  }

  async #run(
    inputs: NamedTensors,
    outputs: readonly OutputName[],
    { onlyCls = false }: RunOptions,
  ): Promise<NamedTensors> {
    this.#assertInUse();
    const { numHiddenLayers: L, hiddenSize: D, numAttentionHeads: heads, id2label } = this.#config;
    const pixels = inputs.get("pixel_values") as Tensor<"float32">;
    const [B, , height, width] = pixels.shape as [number, number, number, number];
    const imageSize = [height, width] as const;
    const kept = inputs.get("kept_patches") as Tensor<"int64"> | undefined;
    const mask = inputs.get("bool_masked_pos") as Tensor<"bool"> | undefined;
    if (mask && !this.#model.maskToken) throw new TypeError(NO_MASK_TOKEN);
    const wants = (name: OutputName) => outputs.includes(name);
    const T = 1 + (kept?.shape[1] ?? this.#patches(imageSize));
    const workspaces = await this.#prepare({
      imageSize,
      tokens: T,
      attentions: wants("attentions"),
    });
    const results = new Map(outputs.map((name) =>
      [
        name,
        zeros(
          {
            last_hidden_state: [B, onlyCls ? 1 : T, D],
            hidden_states: [L + 1, B, T, D],
            attentions: [L, B, heads, T, T],
            logits: [B, id2label.length],
          }[name],
        ),
      ] as const
    ));
    const stepwise = wants("hidden_states") || wants("attentions");
    const end = wants("last_hidden_state") || wants("logits") ? L + 2 : L + 1;
    const open = (workspace: Workspace) => {
      writeStruct(this.#arena, "Plan", workspace.plan, {
        // Only CLS is needed: the last block skips the other tokens.
        lastTokens: stepwise || wants("last_hidden_state") && !onlyCls ? T : 1,
        mask: mask ? workspace.mask : 0,
        classifier: wants("logits") ? this.#model.classifier : 0,
      });
      return workspace;
    };
    const { threads } = this.#options;
    const lanes = stepwise || B < threads ? [] : workspaces.lanes(this.#memory);
    const inLanes = lanes.length > 0 ? B - B % threads : 0;
    let next = 0;
    await Promise.all(
      lanes.slice(0, inLanes).map(async ({ workspace, thread }) => {
        open(workspace);
        while (next < inLanes) {
          const b = next++;
          writeImage(this.#arena, workspace, pixels, kept, mask, b);
          await this.#pool!.forward(workspace, 0, end, thread);
          readOutputs(this.#arena, workspace, results, b);
        }
      }),
    );
    if (inLanes === B) return results;
    const workspace = open(workspaces.shared(this.#memory));
    for (let b = inLanes; b < B; b++) {
      writeImage(this.#arena, workspace, pixels, kept, mask, b);
      if (!stepwise) await this.#forward(workspace, 0, end);
      else {
        for (let step = 0; step < end; step++) {
          await this.#forward(workspace, step, step + 1);
          if (step <= L) readStep(this.#arena, workspace, results, step, b, B);
        }
      }
      readOutputs(this.#arena, workspace, results, b);
    }
    return results;
  }

  get #arena(): Arena {
    return new Arena(this.#memory, this.#weightsEnd);
  }

  #patches(imageSize: readonly [number, number]): number {
    const [rows, columns] = patchGrid({ imageSize, patchSize: this.#config.patchSize });
    return rows * columns;
  }

  /** Makes memory and threads ready for a run. */
  async #prepare(geometry: Geometry): Promise<Workspaces> {
    const { threads, createWorker } = this.#options;
    const key = JSON.stringify(geometry);
    let workspaces = this.#pool?.isOver ? undefined : this.#workspaces;
    if (!workspaces || JSON.stringify(workspaces.geometry) !== key) {
      this.#workspaces = undefined;
      const layout = [this.#config, this.#model, geometry, threads] as const;
      workspaces = new Workspaces(...layout, this.#weightsEnd);
      const { end } = workspaces;
      if (this.#pool && (this.#pool.isOver || end > this.#memory.buffer.byteLength)) this.#move();
      this.#arena.makeRoom(end);
      this.#workspaces = workspaces;
    }
    if (threads > 1 && !this.#pool) {
      const pool = await ThreadPool.start(threads, {
        module: this.#module,
        memory: this.#memory,
        dotProduct: this.#options.dotProduct,
      }, createWorker);
      this.#pool = pool;
      // A dispose() during the start did not see the pool.
      if (this.#isDisposed) pool[Symbol.dispose]();
      this.#assertInUse();
    }
    return workspaces;
  }

  #assertInUse(): void {
    if (this.#isDisposed) throw new Error("Cannot run the model: it is disposed of");
  }

  /**
   * Ends the threads and takes the weights to a new memory: the old one must not grow while threads
   * have it, and one that was lost in its work may still write to it.
   */
  #move(): void {
    this.#pool?.[Symbol.dispose]();
    this.#pool = undefined;
    const memory = sharedMemory();
    new Arena(memory, 0).makeRoom(this.#weightsEnd);
    new Uint8Array(memory.buffer).set(new Uint8Array(this.#memory.buffer, 0, this.#weightsEnd));
    this.#memory = memory;
    this.#kernels = instantiate(this.#module, memory, this.#options.dotProduct);
  }

  async #forward(workspace: Workspace, first: number, end: number): Promise<void> {
    if (this.#pool) return await this.#pool.forward(workspace, first, end);
    const { plan, threads: [thread] } = workspace;
    this.#kernels.forward(plan, thread!, first, end);
  }
}
