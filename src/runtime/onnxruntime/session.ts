import type * as Ort from "onnxruntime-web/wasm";
import type { GraphBounds } from "../../onnx/graph_bounds.ts";
import type { DataArray, DataType, Tensor } from "../../tensor/tensor.ts";
import type { NamedTensors, Session } from "../runtime.ts";

/** What a build of onnxruntime-web has of its own, as far as sessions need it. */
export type OrtModule = Pick<typeof Ort, "env" | "InferenceSession" | "Tensor">;

/** A session of onnxruntime-web, of whatever build. */
export class OnnxruntimeSession implements Session {
  readonly #ort: OrtModule;
  readonly #session: Ort.InferenceSession;
  readonly #bounds: GraphBounds;

  /**
   * @param ort the build that made the session.
   * @param bounds of the session's graph, checked before each run.
   */
  constructor(ort: OrtModule, session: Ort.InferenceSession, bounds: GraphBounds) {
    this.#ort = ort;
    this.#session = session;
    this.#bounds = bounds;
  }

  async run(inputs: NamedTensors, outputs: readonly string[]): Promise<NamedTensors> {
    this.#bounds.check(new Map([...inputs].map(([name, { shape }]) => [name, shape])));
    const feeds = Object.fromEntries(
      [...inputs].map(([name, { dtype, data, shape }]) => [
        name,
        new this.#ort.Tensor(dtype as Ort.Tensor.Type, data as Ort.Tensor.DataType, shape),
      ]),
    );
    const results = await this.#session.run(feeds, outputs, { logSeverityLevel: 4 });
    return new Map(outputs.map((name) => [name, fromOrt(results[name]!)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

function fromOrt({ type, dims, data }: Ort.Tensor): Tensor {
  return { dtype: type as DataType, shape: dims, data: data as DataArray[DataType] };
}
