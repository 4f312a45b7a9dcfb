import type { Tensor } from "../tensor/tensor.ts";
import type { OutputName } from "../vit_msn/graph.ts";
import type { ModelFile } from "../vit_msn/model_file.ts";

/** Tensors under the names that the graph gives them. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

/** Runs models: onnxruntime-web, or another engine behind the same interface. */
export interface Runtime {
  /**
   * Makes a session of a model.
   *
   * @param file as `readModelFile` gives it. An engine that runs the graph as it is checks that it agrees
   * with the config.
   * @throws {Error} if the engine cannot run the model; the message says why.
   */
  createSession(file: ModelFile): Promise<Session>;
}

/** What an engine may make use of. */
export interface RunOptions {
  /** Of `last_hidden_state` only CLS is needed; the engine may leave out the other tokens. */
  readonly onlyCls?: boolean;
}

/** A model that is ready to run. */
export interface Session extends AsyncDisposable {
  /** How many images of a batch it computes at a time, off the caller's thread; default is one, on it. */
  readonly concurrency?: number;
  /**
   * Runs the model.
   *
   * @param inputs of ViT-MSN's forward, by name: `pixel_values`, and perhaps `bool_masked_pos` and
   * `kept_patches`.
   * @param outputs what to return.
   * @throws {TypeError} if the model's file lacks what an input or output needs.
   */
  run(
    inputs: NamedTensors,
    outputs: readonly OutputName[],
    options?: RunOptions,
  ): Promise<NamedTensors>;
}
