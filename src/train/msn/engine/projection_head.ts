import type { Arena } from "../../../runtime/simd/arena.ts";
import { writeFields } from "../../../runtime/simd/write_struct.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../../engine/kernels.ts";
import { putLinear, type RepackCall } from "../../engine/model_memory.ts";
import { rowBytes } from "../../engine/plan.ts";
import { readRows } from "../../engine/read_rows.ts";
import { STRUCTS, Tile } from "../../engine/structs.ts";
import type { ParameterVectors, VectorName } from "../../engine/vectors.ts";
import { byColumns, byRows, COLUMNS, type Round, type ThreadScratch, together } from "./rounds.ts";

/** The head's tensors begin with this in the names of parameters, as in the authors' code. */
export const HEAD = "fc.";

/** BatchNorm1d's, as PyTorch has them by default. */
const EPSILON = 1e-5;
const MOMENTUM = 0.1;

/** The widths of a head: D → hidden → hidden → output. */
export interface HeadShape {
  readonly input: number;
  readonly hidden: number;
  readonly output: number;
  /** Whether BatchNorm follows the first two layers. */
  readonly usesBatchNorm: boolean;
}

/** The shapes of a head's parameters by name. */
export function headShapes(
  { input, hidden, output, usesBatchNorm }: HeadShape,
): Map<string, number[]> {
  const norm = (name: string): [string, number[]][] =>
    usesBatchNorm ? [[`${name}.weight`, [hidden]], [`${name}.bias`, [hidden]]] : [];
  const linear = (name: string, outputs: number, inputs: number): [string, number[]][] => [
    [`${name}.weight`, [outputs, inputs]],
    [`${name}.bias`, [outputs]],
  ];
  return new Map([
    ...linear("fc1", hidden, input),
    ...norm("bn1"),
    ...linear("fc2", hidden, hidden),
    ...norm("bn2"),
    ...linear("fc3", output, hidden),
  ]);
}

/** Rows of a batch that share BatchNorm's statistics: the views of one size. */
export interface RowGroup {
  readonly start: number;
  readonly rows: number;
}

/**
 * MSN's projection head, fc1 · bn1 · GELU · fc2 · bn2 · GELU · fc3, on the CLS rows of a whole batch: BatchNorm
 * needs all of them. Threads share rows where a layer is applied, and columns where statistics or the gradients
 * of weights depend on all rows.
 */
export class ProjectionHead {
  readonly repackCalls: readonly RepackCall[];
  /** z, f32 [rows][output]; and its gradients. */
  readonly outputs: number;
  readonly dOutputs: number;
  readonly outputStride: number;
  /** Rows of the batch, of all groups. */
  readonly rows: number;
  readonly #arena: Arena;
  readonly #shape: HeadShape;
  readonly #groups: readonly RowGroup[];
  readonly #hiddenStride: number;
  readonly #layers: readonly [number, number, number];
  readonly #norms: readonly [number, number];
  /** The running statistics by name. */
  readonly #buffers = new Map<string, number>();
  /** For each of the two hidden layers: before and after the activation, and gradients. */
  readonly #hidden: readonly HiddenRows[];
  readonly #scratch: readonly number[];
  readonly #gradientScratch: readonly number[];

  /**
   * @param vector whose numbers the head computes with; only the head of `parameters` has gradients.
   * @param scratch each thread's Scratch and GradientScratch.
   */
  constructor(
    arena: Arena,
    shape: HeadShape,
    vectors: ParameterVectors,
    vector: VectorName,
    groups: readonly RowGroup[],
    scratch: readonly ThreadScratch[],
  ) {
    this.#arena = arena;
    this.#shape = shape;
    this.#groups = groups;
    this.rows = groups.reduce((sum, { rows }) => sum + rows, 0);
    this.#hiddenStride = rowBytes(shape.hidden);
    this.outputStride = rowBytes(shape.output);
    this.#scratch = scratch.map(({ forward }) => forward);
    this.#gradientScratch = scratch.map(({ backward }) => backward);
    const learns = vector === "parameters";
    const gradient = (name: string) => learns ? vectors.find("gradients", HEAD + name)! : 0;
    const repackCalls: RepackCall[] = [];
    const layer = (name: string, outputs: number, inputs: number) => {
      const { linear, struct } = putLinear(arena, name, outputs, inputs, { needsBackward: learns });
      const { name: _, ...fields } = linear;
      writeFields(arena, STRUCTS.TrainedLinear, struct, {
        ...fields,
        dWeight: gradient(`${name}.weight`),
        dBias: gradient(`${name}.bias`),
      });
      const find = (part: string) => vectors.find(vector, `${HEAD}${name}.${part}`)!;
      const call = ["repack", struct, find("weight"), find("bias")] as const;
      repackCalls.push({ bytes: 4 * outputs * inputs, call });
      return struct;
    };
    const { input, hidden, output } = shape;
    this.#layers = [
      layer("fc1", hidden, input),
      layer("fc2", hidden, hidden),
      layer("fc3", output, hidden),
    ];
    this.repackCalls = repackCalls;
    const bytes = 4 * Math.ceil(hidden / COLUMNS) * COLUMNS;
    const norm = (name: string) => {
      if (!shape.usesBatchNorm) return 0;
      const struct = arena.reserve(STRUCTS.BatchNorm.bytes);
      const buffer = (part: string, start: number) => {
        const place = arena.reserve(bytes);
        arena.floats(place, hidden).fill(start);
        this.#buffers.set(`${name}.${part}`, place);
        return place;
      };
      writeFields(arena, STRUCTS.BatchNorm, struct, {
        weight: vectors.find(vector, `${HEAD}${name}.weight`)!,
        bias: vectors.find(vector, `${HEAD}${name}.bias`)!,
        dWeight: gradient(`${name}.weight`),
        dBias: gradient(`${name}.bias`),
        runningMean: buffer("running_mean", 0),
        runningVariance: buffer("running_var", 1),
        epsilon: EPSILON,
        momentum: MOMENTUM,
      });
      return struct;
    };
    this.#norms = [norm("bn1"), norm("bn2")];
    const rows = (stride: number) => arena.reserve((this.rows + Tile.ROWS_PAST) * stride);
    this.#hidden = [0, 1].map(() => ({
      before: rows(this.#hiddenStride),
      after: rows(this.#hiddenStride),
      gradient: learns ? rows(this.#hiddenStride) : 0,
      renewed: learns ? rows(this.#hiddenStride) : 0,
      statistics: groups.map(() => ({ mean: arena.reserve(bytes), scale: arena.reserve(bytes) })),
    }));
    this.outputs = rows(this.outputStride);
    this.dOutputs = learns ? rows(this.outputStride) : 0;
  }

  /** The names of BatchNorm's running statistics. */
  get bufferNames(): string[] {
    return [...this.#buffers.keys()];
  }

  /** A running statistic, f32 [hidden]. */
  buffer(name: string): Float32Array {
    return this.#arena.floats(this.#buffers.get(name)!, this.#shape.hidden);
  }

  /** Copies running statistics that are given; the others stay. */
  fillBuffers(tensors: ReadonlyMap<string, Tensor>): void {
    for (const name of this.bufferNames) {
      const tensor = tensors.get(name);
      if (tensor) this.buffer(name).set(tensor.data as Float32Array);
    }
  }

  /** The last batch's projections z, [rows, output]. */
  readOutputs(): Float32Array {
    return readRows(this.#arena, this.outputs, this.outputStride, this.rows, this.#shape.output);
  }

  /** The rounds of the forward, from rows of CLS to `outputs`. */
  forwardRounds(cls: number, clsStride: number): Round[] {
    const [fc1, fc2, fc3] = this.#layers;
    const [first, second] = this.#hidden as [HiddenRows, HiddenRows];
    const stride = this.#hiddenStride;
    return [
      this.#apply(fc1, cls, clsStride, first.before, stride),
      this.#byColumns(this.#shape.hidden, (start, end) => this.#activate(0, first, start, end)),
      this.#apply(fc2, first.after, stride, second.before, stride),
      this.#byColumns(this.#shape.hidden, (start, end) => this.#activate(1, second, start, end)),
      this.#apply(fc3, second.after, stride, this.outputs, this.outputStride),
    ];
  }

  /** The rounds of the backward, from `dOutputs` to the gradients of CLS; adds those of the parameters. */
  backwardRounds(cls: number, dCls: number, clsStride: number): Round[] {
    const [fc1, fc2, fc3] = this.#layers;
    const [first, second] = this.#hidden as [HiddenRows, HiddenRows];
    const stride = this.#hiddenStride;
    const { hidden, output } = this.#shape;
    return [
      this.#inputGradient(fc3, this.dOutputs, this.outputStride, second.gradient, stride),
      together(
        this.#outputGradients(fc3, output, this.dOutputs, this.outputStride, second.after, stride),
        this.#byColumns(hidden, (start, end) => this.#activateBackward(1, second, start, end)),
        this.#outputGradients(fc2, hidden, second.gradient, stride, first.after, stride),
      ),
      this.#inputGradient(fc2, second.gradient, stride, first.gradient, stride),
      together(
        this.#byColumns(hidden, (start, end) => this.#activateBackward(0, first, start, end)),
        this.#outputGradients(fc1, hidden, first.gradient, stride, cls, clsStride),
      ),
      this.#inputGradient(fc1, first.gradient, stride, dCls, clsStride),
    ];
  }

  #apply(layer: number, x: number, stride: number, y: number, yStride: number): Round {
    return byRows(
      this.rows,
      this.#scratch.length,
      (start, end, thread) => [
        ["applyRows", layer, x, stride, start, end, y, yStride, this.#scratch[thread]!],
      ],
    );
  }

  #inputGradient(layer: number, dy: number, stride: number, dx: number, dxStride: number): Round {
    return byRows(
      this.rows,
      this.#scratch.length,
      (start, end, thread) => [
        ["inputGradientRows", layer, dy, stride, start, end, dx, dxStride, this.#scratch[thread]!],
      ],
    );
  }

  #outputGradients(
    layer: number,
    outputs: number,
    dy: number,
    stride: number,
    x: number,
    xStride: number,
  ): Round {
    return byColumns(outputs, this.#scratch.length, (start, end, thread) => {
      const scratch = this.#gradientScratch[thread]!;
      const stop = Math.min(end, outputs);
      return [["outputGradients", layer, dy, stride, x, xStride, this.rows, start, stop, scratch]];
    });
  }

  #activate(layer: 0 | 1, hidden: HiddenRows, start: number, end: number): Call[] {
    const stride = this.#hiddenStride;
    return this.#groups.map((group, g) => {
      const { mean, scale } = hidden.statistics[g]!;
      const at = group.start * stride;
      const norm = this.#norms[layer];
      const [before, after] = [hidden.before + at, hidden.after + at];
      return ["activateColumns", norm, before, stride, group.rows, start, end, mean, scale, after];
    });
  }

  #activateBackward(layer: 0 | 1, hidden: HiddenRows, start: number, end: number): Call[] {
    const stride = this.#hiddenStride;
    return this.#groups.map((group, g) => {
      const { mean, scale } = hidden.statistics[g]!;
      const at = group.start * stride;
      return [
        "activateColumnsBackward",
        this.#norms[layer],
        hidden.before + at,
        stride,
        group.rows,
        start,
        end,
        mean,
        scale,
        hidden.renewed + at,
        hidden.gradient + at,
      ];
    });
  }

  #byColumns(columns: number, calls: (start: number, end: number) => Call[]): Round {
    return byColumns(columns, this.#scratch.length, calls);
  }
}

/** The rows of a hidden layer: pointers. */
interface HiddenRows {
  readonly before: number;
  readonly after: number;
  /** 0 if the head does not learn. */
  readonly gradient: number;
  readonly renewed: number;
  /** Each group's mean and 1 / √(variance + ε). */
  readonly statistics: readonly { readonly mean: number; readonly scale: number }[];
}
