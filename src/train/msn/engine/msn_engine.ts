import type { Arena } from "../../../runtime/simd/arena.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../../vit_msn/config.ts";
import type { ViTMSNWeights } from "../../../vit_msn/weights.ts";
import { expectLength } from "../../engine/expect_length.ts";
import { bestTrainBuild, type Call, trainModule } from "../../engine/kernels.ts";
import type { AdamWStep, Optimizer } from "../../engine/optimizer.ts";
import type { Parameters } from "../../engine/parameters.ts";
import { stateBytes } from "../../engine/plan.ts";
import { POSITIONS } from "../../engine/positions.ts";
import { readRows } from "../../engine/read_rows.ts";
import { Threads } from "../../engine/threads.ts";
import type { ParameterVectors, VectorName } from "../../engine/vectors.ts";
import type { MsnBatch, MsnLosses, MsnObjective } from "./msn_batch.ts";
import type { MsnEngineOptions } from "./msn_engine_options.ts";
import { layOut } from "./msn_layout.ts";
import { type MsnNetwork, PROTOTYPES } from "./msn_network.ts";
import { HEAD, type ProjectionHead } from "./projection_head.ts";
import type { Prototypes } from "./prototypes.ts";
import { type Round, together } from "./rounds.ts";
import type { ViewGroup } from "./view_group.ts";

/** The figures of a batch, by the rows of its views. */
export interface MsnBatchFigures {
  /** [rows, D] */
  readonly anchorFeatures: Float32Array;
  readonly targetFeatures: Float32Array;
  /** [rows, the head's output] */
  readonly anchorProjections: Float32Array;
  readonly targetProjections: Float32Array;
  /** [rows, K] */
  readonly anchorProbabilities: Float32Array;
  readonly unsharpenedProbabilities: Float32Array;
  readonly targetProbabilities: Float32Array;
}

/**
 * MSN's two networks in training, in WebAssembly: an encoder with its projection head that learns, and the target,
 * which is its moving average. Encoders work through their images in small pieces; heads see the CLS rows of the
 * whole batch. The forward is kept for the backward if it takes less than a gigabyte; else pieces are computed again.
 */
export class MsnEngine implements Disposable {
  readonly config: ViTMSNConfig;
  /** The parameters that learn: the encoder's, the head's as `fc.*`, and `prototypes`. */
  readonly parameters: Parameters;
  readonly #options: MsnEngineOptions;
  readonly #arena: Arena;
  readonly #threads: Threads;
  readonly #vectors: ParameterVectors;
  readonly #optimizer: Optimizer;
  readonly #encoder: ViTMSNWeights;
  readonly #target: ViewGroup;
  readonly #anchors: readonly ViewGroup[];
  readonly #head: ProjectionHead;
  readonly #targetHead: ProjectionHead;
  /** CLS rows of targets and anchors. */
  readonly #cls: { readonly target: number; readonly anchors: number; readonly dAnchors: number };
  readonly #prototypes: Prototypes;
  readonly #repackCalls: Round;

  private constructor(
    config: ViTMSNConfig,
    network: MsnNetwork,
    target: MsnNetwork,
    prototypes: Tensor,
    options: MsnEngineOptions,
    layout: ReturnType<typeof layOut>,
    threads: Threads,
  ) {
    this.config = config;
    this.#options = options;
    this.#encoder = network.encoder;
    this.#threads = threads;
    this.#arena = layout.arena;
    this.#vectors = layout.vectors;
    this.parameters = layout.vectors.parameters;
    this.#optimizer = layout.optimizer;
    this.#target = layout.target;
    this.#anchors = layout.anchors;
    this.#head = layout.head;
    this.#targetHead = layout.targetHead;
    this.#cls = layout.cls;
    this.#prototypes = layout.prototypes;
    this.#repackCalls = layout.repackCalls;
    const named = ({ encoder, head }: MsnNetwork) =>
      new Map([
        ...encoder,
        ...[...head].map(([name, tensor]): [string, Tensor] => [HEAD + name, tensor]),
        [PROTOTYPES, prototypes] as const,
      ]);
    this.#vectors.fill("parameters", named(network));
    this.#vectors.fill("average", named(target));
    this.#head.fillBuffers(network.head);
    this.#targetHead.fillBuffers(target.head);
  }

  /**
   * Starts an engine.
   *
   * @param network what learns; the shapes of its head say how wide it is.
   * @param target the moving average, of the same shapes.
   * @param prototypes [K, output]
   * @throws {RangeError} if the memory does not suffice; the message says what takes less.
   */
  static async start(
    config: ViTMSNConfig,
    network: MsnNetwork,
    target: MsnNetwork,
    prototypes: Tensor,
    options: MsnEngineOptions,
  ): Promise<MsnEngine> {
    const count = Threads.countFor(options.threads);
    options = { ...options, threads: count };
    const module = trainModule(options.build ?? bestTrainBuild());
    let layout: ReturnType<typeof layOut>;
    try {
      layout = layOut(config, network, prototypes, options, module);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(
        "Cannot pre-train: the model and its activations take more memory than there is; " +
          "take a smaller batch, fewer prototypes or a narrower head",
        { cause: error },
      );
    }
    const threads = await Threads.start(count, module, layout.arena.memory, {
      own: true,
      progress: layout.progress,
      createWorker: options.createWorker,
    });
    const engine = new MsnEngine(config, network, target, prototypes, options, layout, threads);
    await engine.refresh();
    return engine;
  }

  /** Bytes of the engine's memory. */
  get memoryBytes(): number {
    return this.#arena.memory.buffer.byteLength;
  }

  /** How many groups of views of one size the anchors have: each has BatchNorm statistics of its own. */
  get anchorGroups(): number {
    return this.#anchors.length;
  }

  /**
   * Computes the loss of a batch and its gradients; moves the running statistics of both heads.
   *
   * @throws {RangeError} if an array does not have the size that the options say.
   */
  async gradients(batch: MsnBatch, objective: MsnObjective): Promise<MsnLosses> {
    this.#write(batch);
    this.#prototypes.writeObjective(objective);
    const { dAnchors, anchors, target } = this.#cls;
    const stride = stateBytes(this.config);
    const anchorRounds = this.#head.forwardRounds(anchors, stride);
    const targetRounds = this.#targetHead.forwardRounds(target, stride);
    const [first, second, ...rest] = this.#head.backwardRounds(anchors, dAnchors, stride);
    await this.#run([
      together(
        this.#clearGradients(),
        this.#target.forward(),
        ...this.#anchors.map((group) => group.forward()),
      ),
      ...anchorRounds.map((round, i) => together(round, targetRounds[i]!)),
      together(this.#prototypes.cosinesOf("anchors"), this.#prototypes.cosinesOf("targets")),
      this.#prototypes.lossRound,
      this.#prototypes.backwardRound,
      first!,
      together(second!, this.#prototypes.gradientRound),
      ...rest,
      together(...this.#anchors.map((group) => group.backward)),
    ]);
    const norm = Math.sqrt(await this.#reduce());
    return { ...this.#prototypes.readLosses(objective), norm };
  }

  /** Makes a step of AdamW with the present gradients; the target moves with `emaDecay`. */
  async step(step: AdamWStep): Promise<void> {
    await this.#optimizer.step(this.#threads, step);
    await this.refresh();
  }

  /**
   * Computes CLS after the target encoder's final LayerNorm, [images, D].
   *
   * @param pixelValues [images, C, H, W] of the random views' size; at most B images.
   */
  async features(images: number, pixelValues: Float32Array): Promise<Float32Array> {
    const group = this.#target;
    if (images < 1 || images > group.images) {
      throw new RangeError(
        `Cannot compute features of ${images} images: the batch has ${group.images}`,
      );
    }
    group.write({ pixels: pixelValues }, images);
    await this.#run([group.forward(images)]);
    return this.#readCls("target", images);
  }

  /** The figures of the last batch. */
  lastBatch(): MsnBatchFigures {
    return {
      anchorFeatures: this.#readCls("anchors", this.#head.rows),
      targetFeatures: this.#readCls("target", this.#targetHead.rows),
      anchorProjections: this.#head.readOutputs(),
      targetProjections: this.#targetHead.readOutputs(),
      anchorProbabilities: this.#prototypes.read("anchors"),
      unsharpenedProbabilities: this.#prototypes.read("unsharpened targets"),
      targetProbabilities: this.lastTargets(),
    };
  }

  /** The sharpened targets of the last batch, [B, K]. */
  lastTargets(): Float32Array {
    return this.#prototypes.read("targets");
  }

  /** A copy of a parameter's numbers in a vector; the target's are in `average`. */
  read(vector: VectorName, name: string): Tensor<"float32"> {
    return this.#vectors.read(vector, name);
  }

  /** Overwrites a parameter's numbers in a vector; call {@linkcode refresh} afterwards. */
  write(vector: VectorName, name: string, data: Float32Array): void {
    this.#vectors.write(vector, name, data);
  }

  /** BatchNorm's running statistics: of the head as `fc.*`, of the target's as `target.fc.*`. */
  buffers(): Map<string, Float32Array> {
    const heads = [["", this.#head], ["target.", this.#targetHead]] as const;
    return new Map(
      heads.flatMap(([prefix, head]) =>
        head.bufferNames.map((name): [string, Float32Array] => [
          `${prefix}${HEAD}${name}`,
          head.buffer(name),
        ])
      ),
    );
  }

  /** All weights of an encoder with what was learnt: of the one that learns, or of the target. */
  encoderWeights(vector: "parameters" | "average"): Map<string, Tensor> {
    return new Map([...this.#encoder].map(([name, tensor]): [string, Tensor] => [
      name,
      this.parameters.get(name) ? this.read(vector, name) : tensor,
    ]));
  }

  /** Makes the kernels use the present parameters. */
  async refresh(): Promise<void> {
    for (const { positions } of this.#anchors) {
      positions?.refresh(this.read("parameters", POSITIONS));
    }
    this.#target.positions?.refresh(this.read("average", POSITIONS));
    await this.#run([this.#repackCalls]);
  }

  [Symbol.dispose](): void {
    this.#threads[Symbol.dispose]();
  }

  async #run(rounds: readonly Round[]): Promise<void> {
    for (const round of rounds) await this.#threads.run(round);
  }

  #clearGradients(): Round {
    const { gradientBytes, gradientStride } = this.#vectors;
    return Array.from({ length: this.#threads.count }, (_, thread): Call[] => [
      ["clear", this.#vectors.at("gradients") + thread * gradientStride, gradientBytes],
      ...(thread === 0 ? [this.#prototypes.clearCall] : []),
    ]);
  }

  /** Adds up the threads' gradients; returns the squares of all but the prototypes'. */
  async #reduce(): Promise<number> {
    const interpolated = this.#anchors.filter(({ positions }) => positions);
    const isCounted = (name: string) =>
      name !== PROTOTYPES && !(interpolated.length > 0 && name === POSITIONS);
    const { count } = this.#threads;
    const squares = await this.#optimizer.reduce(this.#threads, count, isCounted);
    if (interpolated.length === 0) return squares;
    const { data } = this.read("gradients", POSITIONS);
    for (const { positions, positionsKey } of interpolated) {
      const more = positions!.gradient(this.#vectors.extraGradient(positionsKey)!);
      for (let i = 0; i < data.length; i++) data[i]! += more[i]!;
    }
    this.write("gradients", POSITIONS, data);
    return squares + await this.#optimizer.squaresOf(this.#threads, new Set([POSITIONS]));
  }

  #write({ target, random, focal, keptPatches, branchScale }: MsnBatch): void {
    const { batchSize, randomViews, focalViews } = this.#options;
    const [first, second] = this.#anchors as [ViewGroup, ViewGroup?];
    const views = {
      random: { images: randomViews * batchSize, pixels: random, size: first.size },
      focal: { images: focalViews * batchSize, pixels: focal, size: (second ?? first).size },
    };
    const branches = 2 * this.config.numHiddenLayers;
    for (const name of ["random", "focal"] as const) {
      const { images, pixels, size } = views[name];
      expectLength(`pixels of ${name}`, pixels, images * size);
      expectLength(`branchScale of ${name}`, branchScale?.[name], images * branches);
    }
    this.#target.write({ pixels: target });
    if (second) {
      first.write({ pixels: random, keptPatches, branchScale: branchScale?.random });
      second.write({ pixels: focal, branchScale: branchScale?.focal });
      return;
    }
    first.write({
      pixels: joined(random, focal, 1),
      keptPatches,
      branchScale: branchScale && joined(branchScale.random, branchScale.focal, branches),
    });
  }

  #readCls(of: "anchors" | "target", rows: number): Float32Array {
    const stride = stateBytes(this.config);
    return readRows(this.#arena, this.#cls[of], stride, rows, this.config.hiddenSize);
  }
}

/** [rows, a], [rows, b] → [rows, a + b] */
function joined(a: Float32Array, b: Float32Array, rows: number): Float32Array {
  if (b.length === 0) return a;
  const both = new Float32Array(a.length + b.length);
  const [m, n] = [a.length / rows, b.length / rows];
  for (let row = 0; row < rows; row++) {
    both.set(a.subarray(row * m, (row + 1) * m), row * (m + n));
    both.set(b.subarray(row * n, (row + 1) * n), row * (m + n) + m);
  }
  return both;
}
