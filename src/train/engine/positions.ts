import type { Arena } from "../../runtime/simd/arena.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { patchGrid, type ViTMSNConfig } from "../../vit_msn/config.ts";
import { interpolatePositions, positionsGradient } from "../../vit_msn/interpolate_positions.ts";

/** The name of the position embeddings. */
export const POSITIONS = "embeddings.position_embeddings";

/** Position embeddings in memory for images of another size than the config's. */
export class InterpolatedPositions {
  /** Where they are: f32 [1 + N][D]. */
  readonly place: number;
  readonly shape: readonly number[];
  readonly #arena: Arena;
  readonly #own: readonly [number, number];
  readonly #other: readonly [number, number];

  constructor(arena: Arena, config: ViTMSNConfig, imageSize: readonly [number, number]) {
    this.#arena = arena;
    this.#own = patchGrid(config);
    this.#other = patchGrid({ imageSize, patchSize: config.patchSize });
    const [rows, columns] = this.#other;
    this.shape = [1, 1 + rows * columns, config.hiddenSize];
    this.place = arena.reserve(4 * (1 + rows * columns) * config.hiddenSize);
  }

  /** Whether images of a size need them. */
  static areNeeded({ imageSize }: ViTMSNConfig, other: readonly number[]): boolean {
    return imageSize.join() !== other.join();
  }

  /** Interpolates the config's. */
  refresh(positions: Tensor<"float32">): void {
    const { data } = interpolatePositions(positions, this.#own, this.#other);
    this.#arena.floats(this.place, data.length).set(data);
  }

  /** The gradient of the config's, of these embeddings'. */
  gradient(gradient: Tensor<"float32">): Float32Array {
    return positionsGradient(gradient, this.#own, this.#other).data;
  }
}
