import type { Arena } from "../../runtime/simd/arena.ts";
import { writeFields } from "../../runtime/simd/write_struct.ts";
import { STRUCTS } from "./structs.ts";
import type { Threads } from "./threads.ts";
import type { ParameterVectors } from "./vectors.ts";

/** A step of AdamW. */
export interface AdamWStep {
  readonly betas: readonly [number, number];
  readonly eps: number;
  /** t, from 1 on. */
  readonly step: number;
  /** The factor of the gradients. */
  readonly clip: number;
  /** The share of the old average that stays. */
  readonly emaDecay?: number;
  /** How a parameter learns. */
  groupOf(name: string): ParameterStep;
}

/** How a parameter learns in a step. */
export interface ParameterStep {
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Whether its gradient is clipped; default yes. */
  readonly isClipped?: boolean;
}

/** Adds up the threads' gradients and makes steps of AdamW. */
export class Optimizer {
  readonly #arena: Arena;
  readonly #vectors: ParameterVectors;
  /** AdamW's settings with clipping and without. */
  readonly #clipped: number;
  readonly #unclipped: number;

  constructor(arena: Arena, vectors: ParameterVectors) {
    this.#arena = arena;
    this.#vectors = vectors;
    this.#clipped = arena.reserve(STRUCTS.AdamW.bytes);
    this.#unclipped = arena.reserve(STRUCTS.AdamW.bytes);
  }

  /**
   * Adds up the gradients of the first `count` threads.
   *
   * @param counts whether a parameter counts in the norm; default all do.
   * @returns the sum of squares of those that count.
   */
  async reduce(
    threads: Threads,
    count: number,
    counts: (name: string) => boolean = () => true,
  ): Promise<number> {
    const { parameters, extra, gradientStride } = this.#vectors;
    const own = parameters.segments;
    const squares = await threads.runDealt(
      [...own, ...extra.segments].map(({ start, count: size }) =>
        [
          "reduceGradients",
          this.#vectors.at("gradients", start),
          gradientStride,
          count,
          size,
        ] as const
      ),
    );
    return own.reduce((sum, { name }, i) => counts(name) ? sum + squares[i]! : sum, 0);
  }

  /** The sum of squares of some parameters' gradients, which are added up already. */
  async squaresOf(threads: Threads, names: ReadonlySet<string>): Promise<number> {
    const segments = this.#vectors.parameters.segments.filter(({ name }) => names.has(name));
    const squares = await threads.runDealt(
      segments.map(({ start, count }) =>
        ["reduceGradients", this.#vectors.at("gradients", start), 0, 1, count] as const
      ),
    );
    return squares.reduce((sum, x) => sum + x, 0);
  }

  /** Makes a step of AdamW with the present gradients. */
  async step(threads: Threads, step: AdamWStep): Promise<void> {
    this.#writeSettings(this.#clipped, step, step.clip);
    this.#writeSettings(this.#unclipped, step, 1);
    const vectors = this.#vectors;
    await threads.runDealt(vectors.parameters.segments.map(({ name, start, count }) => {
      const { learningRate, weightDecay, isClipped = true } = step.groupOf(name);
      return [
        "stepAdamW",
        isClipped ? this.#clipped : this.#unclipped,
        vectors.at("parameters", start),
        vectors.at("gradients", start),
        vectors.at("exp_avg", start),
        vectors.at("exp_avg_sq", start),
        vectors.keepsAverage ? vectors.at("average", start) : 0,
        count,
        learningRate,
        weightDecay,
      ] as const;
    }));
  }

  #writeSettings(place: number, { betas, eps, step, emaDecay = 0 }: AdamWStep, clip: number): void {
    writeFields(this.#arena, STRUCTS.AdamW, place, {
      beta1: betas[0],
      beta2: betas[1],
      epsilon: eps,
      correction1: 1 - betas[0] ** step,
      correction2: Math.sqrt(1 - betas[1] ** step),
      clip,
      decay: emaDecay,
    });
  }
}
