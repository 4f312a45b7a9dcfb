import type { Arena } from "../../runtime/simd/arena.ts";
import { writeFields } from "../../runtime/simd/write_struct.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import type { Weights } from "../../vit_msn/weights.ts";
import { bestTrainBuild, type Call, trainModule } from "../engine/kernels.ts";
import type { AdamWStep, Optimizer } from "../engine/optimizer.ts";
import type { Parameters } from "../engine/parameters.ts";
import { stateBytes } from "../engine/plan.ts";
import { type InterpolatedPositions, POSITIONS } from "../engine/positions.ts";
import { STRUCTS } from "../engine/structs.ts";
import { Threads } from "../engine/threads.ts";
import type { ParameterVectors, VectorName } from "../engine/vectors.ts";
import type { MsnBatch, MsnLosses, MsnObjective } from "./msn_batch.ts";
import type { MsnEngineOptions } from "./msn_engine_options.ts";
import { layOut, type PrototypeMemory, type SimilarityRows, type ViewGroup } from "./msn_layout.ts";
import { type MsnNetwork, PROTOTYPES } from "./msn_network.ts";
import {
  byColumns,
  byRows,
  HEAD,
  type ProjectionHead,
  type Round,
  together,
} from "./projection_head.ts";

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
  readonly #encoder: Weights;
  readonly #target: ViewGroup;
  readonly #anchors: readonly ViewGroup[];
  /** Position embeddings of the target for its images' size. */
  readonly #targetPositions: InterpolatedPositions | undefined;
  readonly #head: ProjectionHead;
  readonly #targetHead: ProjectionHead;
  /** CLS rows of targets and anchors. */
  readonly #cls: { readonly target: number; readonly anchors: number; readonly dAnchors: number };
  readonly #prototypes: PrototypeMemory;
  readonly #repackCalls: Round;
  readonly #scratch: readonly { readonly forward: number; readonly backward: number }[];

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
    this.#targetPositions = layout.targetPositions;
    this.#head = layout.head;
    this.#targetHead = layout.targetHead;
    this.#cls = layout.cls;
    this.#prototypes = layout.prototypes;
    this.#repackCalls = layout.repackCalls;
    this.#scratch = layout.scratch;
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
    const threads = await Threads.start(options.threads ?? 1, module, layout.arena.memory, {
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
    const { dAnchors, anchors, target } = this.#cls;
    const stride = stateBytes(this.config);
    const prototypes = this.#prototypes;
    const { count } = this.#threads;
    writeFields(this.#arena, STRUCTS.MsnLoss, prototypes.loss, {
      scale: 1 / objective.temperature,
      sharpening: 1 / objective.sharpen,
      sinkhornIterations: objective.sinkhornIterations,
      labelSmoothing: objective.labelSmoothing,
      meMaxWeight: objective.meMaxWeight,
      entropyWeight: objective.entropyWeight,
    });
    const anchorRounds = this.#head.forwardRounds(anchors, stride);
    const targetRounds = this.#targetHead.forwardRounds(target, stride);
    await this.#run([
      together(
        this.#clearGradients(),
        this.#forward(this.#target),
        ...this.#anchors.map((group) => this.#forward(group)),
      ),
      ...anchorRounds.map((round, i) => together(round, targetRounds[i]!)),
      together(
        this.#similarities(this.#head, prototypes.rows.anchors),
        this.#similarities(this.#targetHead, prototypes.rows.target),
      ),
      [[["msnLoss", prototypes.loss]]],
      this.#similaritiesBackward(),
    ]);
    const [first, second, ...rest] = this.#head.backwardRounds(anchors, dAnchors, stride);
    await this.#run([
      first!,
      together(second!, this.#prototypeGradients()),
      ...rest,
      together(...this.#anchors.map((group) => this.#backward(group))),
    ]);
    const squares = await this.#reduce(count);
    const [crossEntropy, meMax, entropy] = new Float64Array(
      this.#arena.memory.buffer,
      prototypes.results,
      3,
    ) as unknown as [number, number, number];
    const loss = crossEntropy + objective.meMaxWeight * meMax +
      objective.entropyWeight * entropy;
    return { loss, crossEntropy, meMax, entropy, norm: Math.sqrt(squares) };
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
    if (images < 1 || images > group.images || pixelValues.length !== images * group.size) {
      throw new RangeError(
        `Cannot compute features of ${images} images with ${pixelValues.length} pixel values`,
      );
    }
    this.#writeGroup("target", group, { pixels: pixelValues }, images);
    await this.#run([
      byRows(
        images,
        this.#threads.count,
        (start, end, thread) => [["trainLogits", group.plans[thread]![0]!, start, end]],
      ),
    ]);
    return this.#rows(this.#cls.target, stateBytes(this.config), images, this.config.hiddenSize);
  }

  /** The figures of the last batch: probabilities, projections and features, by the rows of its views. */
  lastBatch() {
    const { anchors, target } = this.#cls;
    const { batchSize: B } = this.#options;
    const { rows, stride, count: K, outputs } = this.#prototypes;
    const n = this.#anchors.reduce((sum, { images }) => sum + images, 0);
    const D = this.config.hiddenSize;
    return {
      anchorFeatures: this.#rows(anchors, stateBytes(this.config), n, D),
      targetFeatures: this.#rows(target, stateBytes(this.config), B, D),
      anchorProjections: this.#rows(this.#head.outputs, this.#head.outputStride, n, outputs),
      targetProjections: this.#rows(
        this.#targetHead.outputs,
        this.#targetHead.outputStride,
        B,
        outputs,
      ),
      anchorProbabilities: this.#rows(rows.anchors.similarities, stride, n, K),
      unsharpenedProbabilities: this.#rows(this.#prototypes.unsharpened, stride, B, K),
      targetProbabilities: this.#rows(rows.target.similarities, stride, B, K),
    };
  }

  /** The sharpened targets of the last batch, [B, K]. */
  lastTargets(): Float32Array {
    const { rows, stride, count } = this.#prototypes;
    return this.#rows(rows.target.similarities, stride, this.#options.batchSize, count);
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
      positions?.table.refresh(this.read("parameters", POSITIONS));
    }
    this.#targetPositions?.refresh(this.read("average", POSITIONS));
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
    const { gradient, count, outputs } = this.#prototypes;
    return Array.from({ length: this.#threads.count }, (_, thread): Call[] => [
      ["clear", this.#vectors.at("gradients") + thread * gradientStride, gradientBytes],
      ...(thread === 0 ? [["clear", gradient, 4 * count * outputs] as const] : []),
    ]);
  }

  #forward({ plans, images, chunk, isKept }: ViewGroup): Round {
    return byRows(images, this.#threads.count, (start, end, thread): Call[] => {
      const own = plans[thread]!;
      if (!isKept) return [["trainLogits", own[0]!, start, end]];
      return chunksOf(start, end, chunk).map(([from, to], c) => ["trainLogits", own[c]!, from, to]);
    });
  }

  #backward({ plans, images, chunk, isKept }: ViewGroup): Round {
    return byRows(images, this.#threads.count, (start, end, thread): Call[] => {
      const own = plans[thread]!;
      if (!isKept) return [["trainBackward", own[0]!, start, end, 0]];
      return chunksOf(start, end, chunk).map((
        [from, to],
        c,
      ) => ["trainBackward", own[c]!, from, to, 1]);
    });
  }

  /** ẑ = z / ‖z‖, and its cosines to the prototypes. */
  #similarities(head: ProjectionHead, rows: SimilarityRows): Round {
    const { layer, stride, outputs } = this.#prototypes;
    const { directions, scales, similarities, count } = rows;
    const zStride = head.outputStride;
    return byRows(count, this.#threads.count, (start, end, thread) => [
      ["l2Normalize", head.outputs, zStride, start, end, outputs, directions, scales],
      [
        "applyRows",
        layer,
        directions,
        zStride,
        start,
        end,
        similarities,
        stride,
        this.#scratch[thread]!.forward,
      ],
    ]);
  }

  /** From the gradients of the anchors' cosines to those of z. */
  #similaritiesBackward(): Round {
    const { layer, stride, outputs, dSimilarities, rows: { anchors } } = this.#prototypes;
    const { dOutputs, outputStride } = this.#head;
    const { directions, scales } = anchors;
    return byRows(anchors.count, this.#threads.count, (start, end, thread) => [
      [
        "inputGradientRows",
        layer,
        dSimilarities,
        stride,
        start,
        end,
        dOutputs,
        outputStride,
        this.#scratch[thread]!.forward,
      ],
      [
        "l2NormalizeBackward",
        directions,
        outputStride,
        start,
        end,
        outputs,
        scales,
        dOutputs,
        dOutputs,
      ],
    ]);
  }

  /** dĉ = dsᵀ ẑ, then through the normalisation of the prototypes. */
  #prototypeGradients(): Round {
    const { layer, stride, outputs, count: K, dSimilarities, gradient } = this.#prototypes;
    const { directions, scales, rows: { anchors } } = this.#prototypes;
    const zStride = this.#head.outputStride;
    const dPrototypes = this.#vectors.find("gradients", PROTOTYPES)!;
    return byColumns(K, this.#threads.count, (start, past, thread) => {
      const end = Math.min(past, K);
      return [
        [
          "outputGradients",
          layer,
          dSimilarities,
          stride,
          anchors.directions,
          zStride,
          anchors.count,
          start,
          end,
          this.#scratch[thread]!.backward,
        ],
        [
          "l2NormalizeBackward",
          directions,
          4 * outputs,
          start,
          end,
          outputs,
          scales,
          gradient,
          dPrototypes,
        ],
      ];
    });
  }

  /** Adds up the threads' gradients; returns the squares of all but the prototypes'. */
  async #reduce(threads: number): Promise<number> {
    const hasExtra = this.#anchors.some(({ positions }) => positions);
    const squares = await this.#optimizer.reduce(
      this.#threads,
      threads,
      (name) => name !== PROTOTYPES && !(hasExtra && name === POSITIONS),
    );
    if (!hasExtra) return squares;
    const { data } = this.read("gradients", POSITIONS);
    for (const { positions } of this.#anchors) {
      if (!positions) continue;
      const more = positions.table.gradient(this.#vectors.extraGradient(positions.key)!);
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
    this.#writeGroup("target", this.#target, { pixels: target });
    if (second) {
      const factors = branchScale?.random;
      this.#writeGroup("random", first, { pixels: random, keptPatches, branchScale: factors });
      this.#writeGroup("focal", second, { pixels: focal, branchScale: branchScale?.focal });
      return;
    }
    this.#writeGroup(focalViews > 0 ? "random and focal" : "random", first, {
      pixels: joined(random, focal, 1),
      keptPatches,
      branchScale: branchScale && joined(branchScale.random, branchScale.focal, branches),
    });
  }

  /** @param images of the group, its first; default all. */
  #writeGroup(
    name: string,
    group: ViewGroup,
    { pixels, keptPatches, branchScale }: GroupInputs,
    images = group.images,
  ): void {
    const { kept, patchCount, plans } = group;
    expectLength(`pixels of ${name}`, pixels, images * group.size);
    expectLength(`keptPatches of ${name}`, keptPatches, images * kept);
    if (keptPatches?.some((patch) => patch < 0 || patch >= patchCount)) {
      throw new RangeError(`Cannot pre-train: keptPatches of ${name} has a patch out of range`);
    }
    this.#arena.floats(group.pixels, pixels.length).set(pixels);
    const patches = this.#arena.integers(group.patches, images * kept);
    if (keptPatches) patches.set(keptPatches);
    else patches.forEach((_, i) => patches[i] = i % kept);
    if (branchScale) this.#arena.floats(group.branchScale, branchScale.length).set(branchScale);
    for (const plan of plans.flat()) {
      writeFields(this.#arena, STRUCTS.TrainPlan, plan, {
        batch: images,
        branchScale: branchScale ? group.branchScale : 0,
      });
    }
  }

  #rows(place: number, stride: number, rows: number, columns: number): Float32Array {
    const data = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      data.set(this.#arena.floats(place + row * stride, columns), row * columns);
    }
    return data;
  }
}

/** Pieces of at most `chunk` images. */
function chunksOf(start: number, end: number, chunk: number): [from: number, to: number][] {
  return Array.from({ length: Math.ceil((end - start) / chunk) }, (_, c) => [
    start + c * chunk,
    Math.min(end, start + (c + 1) * chunk),
  ]);
}

/** What a group of views is computed from; arrays as in a batch. */
interface GroupInputs {
  readonly pixels: Float32Array;
  readonly keptPatches?: Int32Array | undefined;
  readonly branchScale?: Float32Array | undefined;
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

/** @throws {RangeError} if an array is given that does not have so many numbers. */
function expectLength(name: string, array: ArrayLike<number> | undefined, length: number): void {
  if (!array || array.length === length) return;
  throw new RangeError(`Cannot pre-train: ${name} has ${array.length} numbers, not ${length}`);
}
