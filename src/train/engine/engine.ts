import type { Arena } from "../../runtime/simd/arena.ts";
import { writeFields } from "../../runtime/simd/write_struct.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import type { ViTMSNWeights } from "../../vit_msn/weights.ts";
import { adapterNames, lowestBlock, type TuneMode } from "../tune.ts";
import type { Batch, LossKind, Objective, WholeBatch } from "./batch.ts";
import { expectLength } from "./expect_length.ts";
import type { EngineOptions } from "./engine_options.ts";
import { bestTrainBuild, type Call, trainModule } from "./kernels.ts";
import { type Adapter, layOut } from "./layout.ts";
import type { AdamWStep, Optimizer } from "./optimizer.ts";
import type { Parameters } from "./parameters.ts";
import { type BatchMemory, type Geometry, logitBytes, patchCount, stateBytes } from "./plan.ts";
import { Loss, STRUCTS } from "./structs.ts";
import { type InterpolatedPositions, POSITIONS } from "./positions.ts";
import { readRows } from "./read_rows.ts";
import { Threads } from "./threads.ts";
import type { ParameterVectors, VectorName } from "./vectors.ts";

const LOSSES: Readonly<Record<LossKind, number>> = {
  cross_entropy: Loss.CROSS_ENTROPY,
  binary_cross_entropy: Loss.BINARY_CROSS_ENTROPY,
  mean_squared_error: Loss.MEAN_SQUARED_ERROR,
};

/**
 * ViT-MSN in training, in WebAssembly: computes gradients and steps of the optimizer. The images of a batch are
 * shared among threads, each with activations and gradients of its own, which are added up in the order of the
 * threads: the same input on as many threads gives the same bits.
 */
export class TrainingEngine implements Disposable {
  readonly config: ViTMSNConfig;
  /** The parameters that learn. */
  readonly parameters: Parameters;
  readonly tune: TuneMode;
  readonly #options: EngineOptions;
  readonly #weights: ViTMSNWeights;
  readonly #arena: Arena;
  readonly #threads: Threads;
  readonly #vectors: ParameterVectors;
  readonly #optimizer: Optimizer;
  /** The plans of the threads: for gradients; and for the forward from pixels, of all patches. */
  readonly #plans: readonly number[];
  readonly #forwardPlans: readonly number[];
  readonly #memory: BatchMemory & { readonly positive: number };
  /** Of images of another size than the config's. */
  readonly #positions: InterpolatedPositions | undefined;
  readonly #geometry: Geometry;
  readonly #labels: number;
  readonly #repackCalls: readonly (readonly Call[])[];
  readonly #adapters: readonly Adapter[];

  private constructor(
    config: ViTMSNConfig,
    weights: ViTMSNWeights,
    options: EngineOptions,
    layout: ReturnType<typeof layOut>,
    threads: Threads,
  ) {
    this.config = config;
    this.tune = options.tune;
    this.parameters = layout.vectors.parameters;
    this.#options = options;
    this.#weights = weights;
    this.#arena = layout.arena;
    this.#threads = threads;
    this.#vectors = layout.vectors;
    this.#optimizer = layout.optimizer;
    this.#plans = layout.plans;
    this.#forwardPlans = layout.forwardPlans;
    this.#memory = layout.memory;
    this.#positions = layout.positions;
    this.#geometry = layout.geometry;
    this.#labels = layout.labels;
    this.#repackCalls = layout.repackCalls;
    this.#adapters = layout.adapters;
  }

  /**
   * Starts an engine.
   *
   * @param weights of the config's shapes; those that learn are copied, all are converted to float32.
   * @throws {RangeError} if the memory does not suffice; the message says what takes less.
   */
  static async start(
    config: ViTMSNConfig,
    weights: ViTMSNWeights,
    options: EngineOptions,
  ): Promise<TrainingEngine> {
    const count = Threads.countFor(options.threads);
    options = { ...options, threads: count };
    const build = options.build ?? bestTrainBuild();
    const module = trainModule(build);
    let layout: ReturnType<typeof layOut>;
    try {
      layout = layOut(config, weights, options, module);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(
        "Cannot train: the model and its activations take more memory than there is; " +
          "tune fewer blocks (last:2) or take fewer images at a time",
        { cause: error },
      );
    }
    const threads = await Threads.start(count, module, layout.arena.memory, {
      own: !options.offThread,
      progress: layout.progress,
      createWorker: options.createWorker,
    });
    const engine = new TrainingEngine(config, weights, options, layout, threads);
    await engine.#repack();
    return engine;
  }

  /** Bytes of the engine's memory. */
  get memoryBytes(): number {
    return this.#arena.memory.buffer.byteLength;
  }

  /** T, the tokens of an image with CLS, of all its patches. */
  get tokens(): number {
    return 1 + patchCount(this.config, this.#geometry);
  }

  /**
   * Computes the loss of a batch and the gradients of its mean.
   *
   * @returns the loss; the norm of the gradients over all parameters that learn; and the logits [B, K].
   */
  async gradients(
    batch: Batch,
    objective: Objective,
  ): Promise<{ loss: number; norm: number; logits: Float32Array }> {
    this.#write(batch, this.#plans, this.#geometry.tokens);
    this.#writeObjective(objective, batch.images);
    const shares = this.#threads.shares(batch.images);
    const losses = await this.#threads.run(
      shares.map(([start, end], i) => [["trainGradients", this.#plans[i]!, start, end]]),
    );
    const squares = await this.#optimizer.reduce(this.#threads, shares.length);
    const norm = Math.sqrt(squares + await this.#derivedGradients());
    return {
      loss: losses.reduce((sum, [loss]) => sum + loss!, 0),
      norm,
      logits: this.#readLogits(batch.images),
    };
  }

  /**
   * Computes the logits of a batch, [B, K], and the output of the final LayerNorm for CLS, [B, D], from the
   * pixels of all patches or from the inputs of the lowest block that learns.
   */
  async forward(batch: WholeBatch): Promise<{ logits: Float32Array; cls: Float32Array }> {
    const plans = batch.inputs ? this.#plans : this.#forwardPlans;
    this.#write(batch, plans, this.tokens);
    const shares = this.#threads.shares(batch.images);
    await this.#threads.run(
      shares.map(([start, end], i) => [["trainLogits", plans[i]!, start, end]]),
    );
    const { hiddenSize: D } = this.config;
    return {
      logits: this.#readLogits(batch.images),
      cls: readRows(this.#arena, this.#memory.output, stateBytes(this.config), batch.images, D),
    };
  }

  /** Computes the inputs of the lowest block that learns from pixels, [B, T, D]. */
  async inputsOf(batch: WholeBatch): Promise<Float32Array> {
    const plans = this.#forwardPlans;
    this.#write(batch, plans, this.tokens);
    const shares = this.#threads.shares(batch.images);
    const out = this.#memory.inputs;
    const block = lowestBlock(this.tune, this.config);
    await this.#threads.run(
      shares.map(([start, end], i) => [["trainStates", plans[i]!, start, end, block, out]]),
    );
    return this.#arena.floats(out, batch.images * this.tokens * this.config.hiddenSize).slice();
  }

  /** Makes a step of AdamW with the present gradients. */
  async step(step: AdamWStep): Promise<void> {
    await this.#optimizer.step(this.#threads, step);
    await this.#repack();
  }

  /** A copy of a parameter's numbers in a vector. */
  read(vector: VectorName, name: string): Tensor<"float32"> {
    return this.#vectors.read(vector, name);
  }

  /** Overwrites a parameter's numbers in a vector; call {@linkcode refresh} after parameters. */
  write(vector: VectorName, name: string, data: Float32Array): void {
    this.#vectors.write(vector, name, data);
  }

  /** Makes the kernels use the present parameters. */
  async refresh(): Promise<void> {
    await this.#repack();
  }

  /** Exchanges the parameters with their moving average. */
  async swapAverage(): Promise<void> {
    this.#vectors.swapAverage();
    await this.#repack();
  }

  /** All weights of the model with what was learnt; adapters are merged. */
  weights(): Map<string, Tensor> {
    const weights = new Map<string, Tensor>();
    for (const [name, tensor] of this.#weights) {
      weights.set(name, this.parameters.get(name) ? this.read("parameters", name) : tensor);
    }
    for (const { weight, merged, outputs, inputs } of this.#adapters) {
      const data = this.#arena.floats(merged, outputs * inputs).slice();
      weights.set(weight, { dtype: "float32", shape: [outputs, inputs], data });
    }
    return weights;
  }

  [Symbol.dispose](): void {
    this.#threads[Symbol.dispose]();
  }

  #readLogits(images: number): Float32Array {
    return readRows(
      this.#arena,
      this.#memory.logits,
      logitBytes(this.#labels),
      images,
      this.#labels,
    );
  }

  #write(
    { images, pixelValues, inputs, keptPatches, maskedPatches, branchScale }: Batch,
    plans: readonly number[],
    T: number,
  ): void {
    const memory = this.#memory;
    const { batchSize } = this.#options;
    if (images < 1 || images > batchSize) {
      throw new RangeError(
        `Cannot train on a batch of ${images} images: it takes 1 to ${batchSize}`,
      );
    }
    const { numChannels, hiddenSize, numHiddenLayers } = this.config;
    const [height, width] = this.#geometry.imageSize;
    const N = patchCount(this.config, this.#geometry);
    expectLength("pixelValues", pixelValues, images * numChannels * height * width);
    expectLength("inputs", inputs, memory.inputs && images * T * hiddenSize);
    expectLength("keptPatches", keptPatches, images * (T - 1));
    expectLength("maskedPatches", maskedPatches, memory.mask && images * N);
    expectLength("branchScale", branchScale, numHiddenLayers * 2 * images);
    if (keptPatches?.some((patch) => patch < 0 || patch >= N)) {
      throw new RangeError(`Cannot train: keptPatches has a number that is not from 0 to ${N - 1}`);
    }
    if (inputs) this.#arena.floats(memory.inputs, inputs.length).set(inputs);
    if (pixelValues) this.#arena.floats(memory.pixels, pixelValues.length).set(pixelValues);
    const patches = this.#arena.integers(memory.patches, images * (T - 1));
    if (keptPatches) patches.set(keptPatches);
    else patches.forEach((_, i) => patches[i] = i % (T - 1));
    if (memory.mask) {
      const mask = this.#arena.bytes(memory.mask, images * N);
      if (maskedPatches) mask.set(maskedPatches);
      else mask.fill(0);
    }
    if (branchScale) this.#arena.floats(memory.branchScale, branchScale.length).set(branchScale);
    for (const plan of plans) {
      writeFields(this.#arena, STRUCTS.TrainPlan, plan, {
        batch: images,
        branchScale: branchScale ? memory.branchScale : 0,
      });
    }
  }

  #writeObjective(
    { loss, targets, factor = 1, positiveWeights }: Objective,
    images: number,
  ): void {
    const { positive } = this.#memory;
    expectLength("targets", targets, images * this.#labels);
    expectLength("positiveWeights", positiveWeights, this.#labels);
    this.#arena.floats(this.#memory.targets, targets.length).set(targets);
    if (positiveWeights) this.#arena.floats(positive, positiveWeights.length).set(positiveWeights);
    for (const plan of this.#plans) {
      writeFields(this.#arena, STRUCTS.TrainPlan, plan, {
        loss: LOSSES[loss],
        lossFactor: factor,
        positive: positiveWeights ? positive : 0,
      });
    }
  }

  /** Computes gradients from those of merged weights and interpolated positions; returns their squares' sum. */
  async #derivedGradients(): Promise<number> {
    const names = new Set<string>();
    const vectors = this.#vectors;
    const calls = this.#adapters.map(({ weight, outputs, inputs }) => {
      const { a, b } = adapterNames(weight);
      names.add(a).add(b);
      const { rank, alpha } = this.tune as TuneMode & { kind: "lora" };
      return [
        "loraGradients",
        vectors.gradientOf(weight, 0),
        vectors.find("parameters", a)!,
        vectors.find("parameters", b)!,
        outputs,
        inputs,
        rank,
        alpha / rank,
        vectors.find("gradients", a)!,
        vectors.find("gradients", b)!,
      ] as const;
    });
    if (calls.length > 0) await this.#threads.runDealt(calls);
    const positions = vectors.extraGradient(POSITIONS);
    if (positions) {
      names.add(POSITIONS);
      this.write("gradients", POSITIONS, this.#positions!.gradient(positions));
    }
    if (names.size === 0) return 0;
    return await this.#optimizer.squaresOf(this.#threads, names);
  }

  async #repack(): Promise<void> {
    if (this.#adapters.length > 0) {
      const { rank, alpha } = this.tune as TuneMode & { kind: "lora" };
      const at = (name: string) => this.#vectors.find("parameters", name)!;
      await this.#threads.runDealt(
        this.#adapters.map(({ weight, frozen, merged, outputs, inputs }) => {
          const { a, b } = adapterNames(weight);
          return ["mergeLora", frozen, at(a), at(b), outputs, inputs, rank, alpha / rank, merged];
        }),
      );
    }
    if (this.parameters.get(POSITIONS)) {
      this.#positions?.refresh(this.read("parameters", POSITIONS));
    }
    await this.#threads.run(this.#repackCalls);
  }
}
