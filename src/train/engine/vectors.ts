import { aligned, type Arena } from "../../runtime/simd/arena.ts";
import { toFloat32 } from "../../tensor/float16.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Parameters } from "./parameters.ts";

/** The vectors that hold a number for each parameter that learns. */
export type VectorName = "parameters" | "gradients" | "exp_avg" | "exp_avg_sq" | "average";

/** The vectors of parameters in memory; each thread has gradients of its own. */
export class ParameterVectors {
  readonly parameters: Parameters;
  /** Gradients that are no parameters' own: of merged weights and interpolated positions. */
  readonly extra: Parameters;
  /** Bytes of a thread's gradients, and from one thread's to the next. */
  readonly gradientBytes: number;
  readonly gradientStride: number;
  readonly keepsAverage: boolean;
  readonly #arena: Arena;
  readonly #starts: Readonly<Record<VectorName, number>>;

  constructor(
    arena: Arena,
    parameters: Parameters,
    extra: Parameters,
    { threads, keepsAverage }: { readonly threads: number; readonly keepsAverage: boolean },
  ) {
    this.parameters = parameters;
    this.extra = extra;
    this.gradientBytes = 4 * (parameters.size + extra.size);
    this.gradientStride = aligned(this.gradientBytes);
    this.keepsAverage = keepsAverage;
    this.#arena = arena;
    const vector = () => arena.reserve(4 * parameters.size);
    this.#starts = {
      parameters: vector(),
      exp_avg: vector(),
      exp_avg_sq: vector(),
      average: keepsAverage ? vector() : 0,
      gradients: arena.reserve(threads * this.gradientStride),
    };
  }

  /**
   * The pointer of a vector's number; by default the first.
   *
   * @throws {RangeError} if the average is asked for, and none is kept.
   */
  at(vector: VectorName, number = 0): number {
    const start = this.#starts[vector];
    if (start === 0) throw new RangeError("Cannot find the average: the engine keeps none");
    return start + 4 * number;
  }

  /** The pointer of a parameter in a vector; `undefined` if it does not learn. */
  find(vector: VectorName, name: string): number | undefined {
    const place = this.parameters.get(name);
    return place && this.at(vector, place.start);
  }

  /** The pointer of a thread's gradient of a parameter or extra tensor; 0 if there is none. */
  gradientOf(name: string, thread: number): number {
    const place = this.extra.get(name) ?? this.parameters.get(name);
    return place ? this.at("gradients", place.start) + thread * this.gradientStride : 0;
  }

  /** A copy of an extra tensor's gradient, summed over the threads. */
  extraGradient(name: string): Tensor<"float32"> | undefined {
    const place = this.extra.get(name);
    if (!place) return undefined;
    const data = this.#arena.floats(this.at("gradients", place.start), place.size).slice();
    return { dtype: "float32", shape: [...place.shape], data };
  }

  /** Copies given tensors to the parameters of the same names. */
  fill(vector: VectorName, tensors: ReadonlyMap<string, Tensor>): void {
    for (const name of this.parameters.names) {
      const tensor = tensors.get(name);
      if (tensor) this.write(vector, name, toFloat32(tensor).data);
    }
  }

  /** A copy of a parameter's numbers. */
  read(vector: VectorName, name: string): Tensor<"float32"> {
    const { shape, start, size } = this.#placeOf(name);
    const data = this.#arena.floats(this.at(vector, start), size).slice();
    return { dtype: "float32", shape: [...shape], data };
  }

  /**
   * Overwrites a parameter's numbers.
   *
   * @throws {RangeError} if it does not learn or has another size.
   */
  write(vector: VectorName, name: string, data: Float32Array): void {
    const { start, size } = this.#placeOf(name);
    if (data.length !== size) {
      throw new RangeError(`Cannot restore ${name}: it has ${data.length} numbers, not ${size}`);
    }
    this.#arena.floats(this.at(vector, start), size).set(data);
  }

  /** Exchanges the parameters with their moving average. */
  swapAverage(): void {
    const a = this.#arena.floats(this.at("parameters"), this.parameters.size);
    const b = this.#arena.floats(this.at("average"), this.parameters.size);
    const kept = a.slice();
    a.set(b);
    b.set(kept);
  }

  #placeOf(name: string) {
    const place = this.parameters.get(name);
    if (!place) throw new RangeError(`Cannot find ${name} among the parameters that learn`);
    return place;
  }
}
