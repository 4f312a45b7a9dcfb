import type { NodeProto } from "./model_proto.ts";

/** The statically known properties of a value. */
export interface Value {
  /** The sizes of its axes, or upper bounds of them. */
  readonly shape: readonly number[];
  /** The elements of a small value that does not depend on the pixels, such as a shape. */
  readonly data?: readonly number[];
  /** Whether `data` is float32 rather than integers. */
  readonly isFloat?: boolean;
  /** Whether the value does not depend on the pixels. */
  readonly isConstant: boolean;
}

/** The statically known properties of an operator's output. */
export interface Made {
  readonly shape: readonly number[];
  readonly data?: readonly number[] | undefined;
  readonly isFloat?: boolean | undefined;
  /** Temporary memory during the computation, in elements. */
  readonly workspace?: number;
}

/** A node and its inputs; an omitted optional input is `undefined`. */
export interface Call {
  readonly node: NodeProto;
  readonly inputs: readonly (Value | undefined)[];
  /** The opset version of ONNX's standard domain. */
  readonly opset: number;
}

/** Elements of larger values are not tracked, because they are not shapes. */
export const MAX_DATA = 4096;

/** The size of an operator's output cannot be determined. */
export class UnknownSize extends Error {}
