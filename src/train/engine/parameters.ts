import { elementCount } from "../../tensor/tensor.ts";

/** A tensor in a vector of parameters: where it begins, in numbers, and its size. */
export interface Place {
  readonly shape: readonly number[];
  readonly start: number;
  readonly size: number;
}

/** A piece of a tensor that a thread updates at a time. */
export interface Segment {
  readonly name: string;
  readonly start: number;
  /** A multiple of 4; the numbers past the tensor's end are 0. */
  readonly count: number;
}

/** Tensors begin at a cache line. */
const ALIGNMENT = 16;
/** Numbers of a segment: the sums of squares do not depend on the number of threads. */
const SEGMENT = 65_536;

/** The layout of the vectors that hold parameters, their gradients and the optimizer's averages. */
export class Parameters {
  readonly #places = new Map<string, Place>();
  /** Numbers in a vector. */
  readonly size: number;
  readonly segments: readonly Segment[];

  /** @param first where the first tensor begins. */
  constructor(shapes: ReadonlyMap<string, readonly number[]>, first = 0) {
    let end = first;
    const segments: Segment[] = [];
    for (const [name, shape] of shapes) {
      const size = elementCount(shape);
      this.#places.set(name, { shape, start: end, size });
      for (let start = 0; start < size; start += SEGMENT) {
        const count = Math.ceil(Math.min(SEGMENT, size - start) / 4) * 4;
        segments.push({ name, start: end + start, count });
      }
      end += Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    }
    this.size = end - first;
    this.segments = segments;
  }

  get names(): readonly string[] {
    return [...this.#places.keys()];
  }

  get(name: string): Place | undefined {
    return this.#places.get(name);
  }
}
