import type { Arena } from "../../../runtime/simd/arena.ts";
import { writeFields } from "../../../runtime/simd/write_struct.ts";
import type { ViTMSNConfig } from "../../../vit_msn/config.ts";
import { expectLength } from "../../engine/expect_length.ts";
import type { Call } from "../../engine/kernels.ts";
import type { SharedModel } from "../../engine/plan.ts";
import { chunkOf, type Geometry, makePlans, patchCount } from "../../engine/plan.ts";
import { InterpolatedPositions, POSITIONS } from "../../engine/positions.ts";
import { STRUCTS } from "../../engine/structs.ts";
import type { ParameterVectors } from "../../engine/vectors.ts";
import { byRows, type Round } from "./rounds.ts";

/** What a group of views is computed from; arrays as in a batch. */
export interface GroupInputs {
  readonly pixels: Float32Array;
  readonly keptPatches?: Int32Array | undefined;
  readonly branchScale?: Float32Array | undefined;
}

/** What a group of views is made of. */
export interface ViewGroupOptions {
  readonly name: string;
  readonly geometry: Geometry;
  readonly images: number;
  readonly model: SharedModel;
  /** Whether there is a backward; without, the model is the target's. */
  readonly learns: boolean;
  /** Whether the forward of all images is kept for the backward. */
  readonly isKept: boolean;
  /** Rows of CLS after the final LayerNorm, and their gradients. */
  readonly output: number;
  readonly dOutput: number;
  /** Each thread's i32 that it increases now and then. */
  readonly progress: readonly number[];
}

/** The key of the gradient of positions that are interpolated for images of a size. */
export function positionsKey(imageSize: readonly number[]): string {
  return `${POSITIONS}@${imageSize.join("x")}`;
}

/** Views of one size, which go through an encoder together. */
export class ViewGroup {
  readonly images: number;
  /** Pixel values of an image. */
  readonly size: number;
  /** Positions for images of another size than the config's. */
  readonly positions: InterpolatedPositions | undefined;
  /** The key of their gradient. */
  readonly positionsKey: string;
  readonly #name: string;
  readonly #arena: Arena;
  /** Each thread's plans: one, or one for each chunk, which then is kept for the backward. */
  readonly #plans: readonly (readonly number[])[];
  readonly #chunk: number;
  readonly #isKept: boolean;
  readonly #pixels: number;
  readonly #patches: number;
  readonly #branchScale: number;
  /** Patches of an image that go on, and all. */
  readonly #kept: number;
  readonly #patchCount: number;

  constructor(
    arena: Arena,
    config: ViTMSNConfig,
    vectors: ParameterVectors,
    options: ViewGroupOptions,
  ) {
    const { name, geometry, images, model, learns, isKept, output, dOutput, progress } = options;
    const { imageSize, tokens } = geometry;
    const threads = progress.length;
    this.#name = name;
    this.#arena = arena;
    this.images = images;
    this.size = config.numChannels * imageSize[0] * imageSize[1];
    this.positionsKey = positionsKey(imageSize);
    this.positions = InterpolatedPositions.areNeeded(config, imageSize)
      ? new InterpolatedPositions(arena, config, imageSize)
      : undefined;
    this.#kept = tokens - 1;
    this.#patchCount = patchCount(config, geometry);
    this.#pixels = arena.reserve(4 * images * this.size);
    this.#patches = arena.reserve(4 * images * this.#patchCount);
    this.#branchScale = arena.reserve(4 * config.numHiddenLayers * 2 * images);
    this.#isKept = isKept;
    this.#chunk = chunkOf(images, threads, geometry);
    const gradientOf = (name: string, thread: number) => {
      if (!learns) return 0;
      return vectors.gradientOf(
        this.positions && name === POSITIONS ? this.positionsKey : name,
        thread,
      );
    };
    this.#plans = progress.map((place, thread) =>
      makePlans(arena, {
        progress: place,
        config,
        geometry,
        model,
        batch: {
          pixels: this.#pixels,
          patches: this.#patches,
          output,
          dOutput,
          branchScale: 0, // until a batch has some
          inputs: 0,
          mask: 0,
          targets: 0,
          logits: 0,
          dLogits: 0,
        },
        chunk: this.#chunk,
        ...(isKept ? { kept: Math.ceil(Math.ceil(images / threads) / this.#chunk) } : {}),
        labels: 0,
        first: 0,
        lowest: 0,
        learnsEmbeddings: true,
        isForwardOnly: !learns,
        positions: this.positions?.place ?? model.vectors.get(POSITIONS)!,
        gradients: vectors.at("gradients") + thread * vectors.gradientStride,
        gradientBytes: vectors.gradientBytes,
        gradientOf: (name) => gradientOf(name, thread),
      })
    );
  }

  /**
   * Copies what is computed next into memory.
   *
   * @param images the first of the group; default all.
   * @throws {RangeError} if an array has another length, or a patch is out of range.
   */
  write({ pixels, keptPatches, branchScale }: GroupInputs, images = this.images): void {
    expectLength(`pixels of ${this.#name}`, pixels, images * this.size);
    expectLength(`keptPatches of ${this.#name}`, keptPatches, images * this.#kept);
    if (keptPatches?.some((patch) => patch < 0 || patch >= this.#patchCount)) {
      throw new RangeError(`Cannot train: keptPatches of ${this.#name} has a patch out of range`);
    }
    this.#arena.floats(this.#pixels, pixels.length).set(pixels);
    const patches = this.#arena.integers(this.#patches, images * this.#kept);
    if (keptPatches) patches.set(keptPatches);
    else patches.forEach((_, i) => patches[i] = i % this.#kept);
    if (branchScale) this.#arena.floats(this.#branchScale, branchScale.length).set(branchScale);
    for (const plan of this.#plans.flat()) {
      writeFields(this.#arena, STRUCTS.TrainPlan, plan, {
        batch: images,
        branchScale: branchScale ? this.#branchScale : 0,
      });
    }
  }

  /** The forward of the first images, up to CLS after the final LayerNorm. */
  forward(images = this.images): Round {
    return byRows(
      images,
      this.#plans.length,
      (start, end, thread): Call[] =>
        this.#pieces(start, end).map(([from, to], piece) => [
          "trainLogits",
          this.#plans[thread]![piece]!,
          from,
          to,
        ]),
    );
  }

  /** The backward of all images, from the gradients of CLS. */
  get backward(): Round {
    return byRows(
      this.images,
      this.#plans.length,
      (start, end, thread): Call[] =>
        this.#pieces(start, end).map(([from, to], piece) => [
          "trainBackward",
          this.#plans[thread]![piece]!,
          from,
          to,
          Number(this.#isKept),
        ]),
    );
  }

  /** What each plan of a thread computes: all, or a chunk that it keeps. */
  #pieces(start: number, end: number): [from: number, to: number][] {
    if (!this.#isKept) return [[start, end]];
    return Array.from({ length: Math.ceil((end - start) / this.#chunk) }, (_, piece) => [
      start + piece * this.#chunk,
      Math.min(end, start + (piece + 1) * this.#chunk),
    ]);
  }
}
