import type { Arena } from "../../../runtime/simd/arena.ts";
import { writeFields } from "../../../runtime/simd/write_struct.ts";
import type { Call } from "../../engine/kernels.ts";
import { putLinear } from "../../engine/model_memory.ts";
import { rowBytes } from "../../engine/plan.ts";
import { readRows } from "../../engine/read_rows.ts";
import { STRUCTS, Tile } from "../../engine/structs.ts";
import type { ParameterVectors } from "../../engine/vectors.ts";
import type { MsnLosses, MsnObjective } from "./msn_batch.ts";
import { PROTOTYPES } from "./msn_network.ts";
import type { ProjectionHead } from "./projection_head.ts";
import { byColumns, byRows, type Round, type ThreadScratch } from "./rounds.ts";

/** Projections against the prototypes: pointers. */
interface SimilarityRows {
  readonly count: number;
  /** ẑ, f32 [count][output]; and 1 / ‖z‖. */
  readonly directions: number;
  readonly scales: number;
  /** f32 [count][K]: cosines, then probabilities. */
  readonly similarities: number;
}

/** The prototypes c in memory, and MSN's loss: cosines ẑ ĉᵀ of projections and prototypes, and their backward. */
export class Prototypes {
  readonly #arena: Arena;
  readonly #vectors: ParameterVectors;
  readonly #scratch: readonly ThreadScratch[];
  readonly #head: ProjectionHead;
  readonly #targetHead: ProjectionHead;
  /** K and the width of a prototype. */
  readonly #count: number;
  readonly #outputs: number;
  /** Bytes of a row of cosines. */
  readonly #stride: number;
  /** The layer ẑ ĉᵀ; ĉ, f32 [K][output]; 1 / ‖c‖; and the gradient of ĉ. */
  readonly #layer: number;
  readonly #directions: number;
  readonly #scales: number;
  readonly #gradient: number;
  readonly #anchors: SimilarityRows;
  readonly #targets: SimilarityRows;
  readonly #dSimilarities: number;
  /** f32 [B][K]: the targets before they are sharpened. */
  readonly #unsharpened: number;
  readonly #loss: number;
  readonly #results: number;

  constructor(
    arena: Arena,
    vectors: ParameterVectors,
    heads: { readonly online: ProjectionHead; readonly target: ProjectionHead },
    scratch: readonly ThreadScratch[],
  ) {
    const [K, output] = vectors.parameters.get(PROTOTYPES)!.shape as [number, number];
    this.#arena = arena;
    this.#vectors = vectors;
    this.#scratch = scratch;
    this.#head = heads.online;
    this.#targetHead = heads.target;
    this.#count = K;
    this.#outputs = output;
    this.#stride = rowBytes(K);
    const { linear, struct } = putLinear(arena, PROTOTYPES, K, output, { needsBackward: true });
    this.#layer = struct;
    this.#directions = arena.reserve(4 * K * output);
    this.#scales = arena.reserve(4 * K);
    this.#gradient = arena.reserve(4 * K * output);
    const { name: _, ...fields } = linear;
    writeFields(arena, STRUCTS.TrainedLinear, struct, { ...fields, dWeight: this.#gradient });
    const rowsOf = ({ rows, outputStride }: ProjectionHead): SimilarityRows => ({
      count: rows,
      directions: arena.reserve((rows + Tile.ROWS_PAST) * outputStride),
      scales: arena.reserve(4 * rows),
      similarities: arena.reserve((rows + Tile.ROWS_PAST) * this.#stride),
    });
    this.#anchors = rowsOf(heads.online);
    this.#targets = rowsOf(heads.target);
    this.#dSimilarities = arena.reserve((this.#anchors.count + Tile.ROWS_PAST) * this.#stride);
    this.#unsharpened = arena.reserve(this.#targets.count * this.#stride);
    this.#loss = arena.reserve(STRUCTS.MsnLoss.bytes);
    this.#results = arena.reserve(3 * 8);
    writeFields(arena, STRUCTS.MsnLoss, this.#loss, {
      images: this.#targets.count,
      anchors: this.#anchors.count,
      prototypes: K,
      stride: this.#stride,
      anchorProbabilities: this.#anchors.similarities,
      targetProbabilities: this.#targets.similarities,
      unsharpened: this.#unsharpened,
      dSimilarities: this.#dSimilarities,
      sums: arena.reserve(8 * K),
      results: this.#results,
    });
  }

  /** The calls that make the kernels use the present prototypes: ĉ = c / ‖c‖, packed. */
  get refreshCalls(): readonly Call[] {
    const own = this.#vectors.find("parameters", PROTOTYPES)!;
    const [K, outputs, directions] = [this.#count, this.#outputs, this.#directions];
    return [
      ["l2Normalize", own, 4 * outputs, 0, K, outputs, directions, this.#scales],
      ["repack", this.#layer, directions, 0],
    ];
  }

  /** The call that clears the gradient of ĉ. */
  get clearCall(): Call {
    return ["clear", this.#gradient, 4 * this.#count * this.#outputs];
  }

  /** ẑ = z / ‖z‖ of anchors and targets, and their cosines to the prototypes. */
  cosinesOf(what: "anchors" | "targets"): Round {
    const [head, rows] = what === "anchors"
      ? [this.#head, this.#anchors] as const
      : [this.#targetHead, this.#targets] as const;
    const { directions, scales, similarities, count } = rows;
    const { outputs, outputStride: stride } = head;
    return byRows(count, this.#scratch.length, (start, end, thread) => {
      const { forward } = this.#scratch[thread]!;
      return [
        ["l2Normalize", outputs, stride, start, end, this.#outputs, directions, scales],
        [
          "applyRows",
          this.#layer,
          directions,
          stride,
          start,
          end,
          similarities,
          this.#stride,
          forward,
        ],
      ];
    });
  }

  /** The loss of all cosines, and their gradients, by one thread. */
  get lossRound(): Round {
    return [[["msnLoss", this.#loss]]];
  }

  /** From the gradients of the anchors' cosines to those of z. */
  get backwardRound(): Round {
    const { directions, scales, count } = this.#anchors;
    const { dOutputs, outputStride: stride } = this.#head;
    return byRows(count, this.#scratch.length, (start, end, thread) => {
      const { forward } = this.#scratch[thread]!;
      return [
        [
          "inputGradientRows",
          this.#layer,
          this.#dSimilarities,
          this.#stride,
          start,
          end,
          dOutputs,
          stride,
          forward,
        ],
        [
          "l2NormalizeBackward",
          directions,
          stride,
          start,
          end,
          this.#outputs,
          scales,
          dOutputs,
          dOutputs,
        ],
      ];
    });
  }

  /** dĉ = dsᵀ ẑ, then through the normalisation of the prototypes. */
  get gradientRound(): Round {
    const { directions, count } = this.#anchors;
    const dPrototypes = this.#vectors.find("gradients", PROTOTYPES)!;
    return byColumns(this.#count, this.#scratch.length, (start, past, thread) => {
      const end = Math.min(past, this.#count);
      const { backward } = this.#scratch[thread]!;
      return [
        [
          "outputGradients",
          this.#layer,
          this.#dSimilarities,
          this.#stride,
          directions,
          this.#head.outputStride,
          count,
          start,
          end,
          backward,
        ],
        [
          "l2NormalizeBackward",
          this.#directions,
          4 * this.#outputs,
          start,
          end,
          this.#outputs,
          this.#scales,
          this.#gradient,
          dPrototypes,
        ],
      ];
    });
  }

  /** Sets how the loss is computed. */
  writeObjective(objective: MsnObjective): void {
    const { temperature, sharpen, ...others } = objective;
    writeFields(this.#arena, STRUCTS.MsnLoss, this.#loss, {
      ...others,
      scale: 1 / temperature,
      sharpening: 1 / sharpen,
    });
  }

  /** The loss that was computed last. */
  readLosses({ meMaxWeight, entropyWeight }: MsnObjective): Omit<MsnLosses, "norm"> {
    const { buffer } = this.#arena.memory;
    const [crossEntropy = NaN, meMax = NaN, entropy = NaN] = new Float64Array(
      buffer,
      this.#results,
      3,
    );
    const loss = crossEntropy + meMaxWeight * meMax + entropyWeight * entropy;
    return { loss, crossEntropy, meMax, entropy };
  }

  /** The last batch's probabilities, [rows, K]. */
  read(what: "anchors" | "targets" | "unsharpened targets"): Float32Array {
    const rows = what === "anchors" ? this.#anchors : this.#targets;
    const place = what === "unsharpened targets" ? this.#unsharpened : rows.similarities;
    return readRows(this.#arena, place, this.#stride, rows.count, this.#count);
  }
}
