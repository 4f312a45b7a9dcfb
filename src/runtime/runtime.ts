import type { Tensor } from "../tensor/tensor.ts";
import type { ViTMSNConfig } from "../vit_msn/config.ts";

/** Tensors under the names that the graph gives them. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** Runs ONNX graphs: onnxruntime-web, or another engine behind the same interface. */
export interface Runtime {
  /**
   * Makes a session of a model.
   *
   * @param model an ONNX file.
   * @param config what the file, or a document beside it, says of the graph. An engine that runs the graph
   * as it is checks that they agree.
   * @throws {Error} if the engine cannot run the model; the message says why.
   */
  createSession(model: Uint8Array, config?: ViTMSNConfig): Promise<Session>;
}

/** What an engine may make use of. */
export interface RunOptions {
  /** Of `last_hidden_state` nobody looks at another token than CLS: the others may be left out. */
  readonly onlyCls?: boolean;
}

/** A model that is ready to run. */
export interface Session extends AsyncDisposable {
  /**
   * Whether it takes every input and computes every output of ViT-MSN's forward, whatever the graph in
   * the file; else it does what the graph does.
   */
  readonly computesVariants?: boolean;
  /** How many images of a batch it computes at a time, off the caller's thread; default is one, on it. */
  readonly concurrency?: number;
  /**
   * Runs the graph.
   *
   * @param inputs every input of the graph, by name.
   * @param outputs the names of the outputs to return.
   */
  run(
    inputs: NamedTensors,
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<NamedTensors>;
}
