import { elementCount, type Tensor } from "../../tensor/tensor.ts";

/** Numbers, nested as deeply as a tensor has axes. */
export type NestedNumbers = number | NestedNumbers[];

/**
 * A tensor with the members of transformers.js' `Tensor` that results are read by. It is a
 * {@linkcode Tensor} of this library, too.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PipelineTensor } from "./pipeline_tensor.ts";
 *
 * const tensor = new PipelineTensor(Float32Array.of(1, 2, 3, 4), [2, 2]);
 * assertEquals([tensor.dims, tensor.type, tensor.size], [[2, 2], "float32", 4]);
 * assertEquals(tensor.tolist(), [[1, 2], [3, 4]]);
 * assertEquals([...tensor].map((row) => row.data[0]), [1, 3]);
 * ```
 */
export class PipelineTensor implements Tensor<"float32"> {
  /** The sizes of the axes, the outermost first. */
  readonly dims: readonly number[];
  /** The element type. */
  readonly type = "float32";
  /** The number of elements. */
  readonly size: number;
  #data: Float32Array | undefined;

  /**
   * Makes a tensor.
   *
   * @param data row-major; not copied.
   * @throws {RangeError} if the data do not fit the sizes.
   */
  constructor(data: Float32Array, dims: readonly number[]) {
    this.size = elementCount(dims);
    if (data.length !== this.size) {
      throw new RangeError(
        `Cannot make a tensor: ${data.length} numbers do not fit the sizes [${dims}]`,
      );
    }
    this.dims = dims;
    this.#data = data;
  }

  /**
   * The elements.
   *
   * @throws {Error} after `dispose`.
   */
  get data(): Float32Array {
    if (this.#data) return this.#data;
    throw new Error("Cannot read the tensor: it was disposed");
  }

  /** The same as `dims`, by this library's name. */
  get shape(): readonly number[] {
    return this.dims;
  }

  /** The same as `type`, by this library's name. */
  get dtype(): "float32" {
    return this.type;
  }

  /** The elements as nested arrays. */
  tolist(): NestedNumbers {
    return nest(this.data, this.dims);
  }

  /** Views of the entries of the first axis. */
  *[Symbol.iterator](): IterableIterator<PipelineTensor> {
    const [length = 0, ...dims] = this.dims;
    const size = elementCount(dims);
    for (let i = 0; i < length; i++) {
      yield new PipelineTensor(this.data.subarray(i * size, (i + 1) * size), dims);
    }
  }

  /** Lets go of the elements, so that they can be collected while the tensor is still referred to. */
  dispose(): void {
    this.#data = undefined;
  }
}

function nest(data: Float32Array, [length, ...dims]: readonly number[]): NestedNumbers {
  if (length === undefined) return data[0]!;
  if (dims.length === 0) return Array.from(data);
  const size = elementCount(dims);
  return Array.from(
    { length },
    (_, i) => nest(data.subarray(i * size, (i + 1) * size), dims),
  );
}
