import { concat } from "@std/bytes/concat";
import { GraphBounds } from "../../onnx/graph_bounds.ts";
import { writeModel } from "../../onnx/write_model.ts";
import type { ViTMSNConfig } from "../../vit_msn/config.ts";
import { assertConfigOfGraph } from "../../vit_msn/config_of_graph.ts";
import type { GraphVariant, OutputName } from "../../vit_msn/graph.ts";
import type { ModelFile } from "../../vit_msn/model_file.ts";
import type { NamedTensors, Session } from "../runtime.ts";
import { GraphSessions } from "./graph_sessions.ts";
import { toVariant } from "./graph_variant.ts";

/**
 * Makes a session of one graph.
 *
 * @param model an ONNX file.
 * @param bounds of its graph; onnxruntime-web runs whatever a graph says.
 */
export type CreateGraphSession = (model: Uint8Array, bounds: GraphBounds) => Promise<Session>;

/**
 * A model on onnxruntime-web, which computes what a graph says and nothing else: the file's own graph runs
 * the plain forward, and each other input or output gets a graph of the same weights when it is first
 * asked for. The session keeps the file for that.
 */
export class VariantSession implements Session {
  readonly #config: ViTMSNConfig;
  readonly #sessions: GraphSessions;

  private constructor(config: ViTMSNConfig, sessions: GraphSessions) {
    this.#config = config;
    this.#sessions = sessions;
  }

  /**
   * Makes a session of a model.
   *
   * @throws {SyntaxError} if the graph takes more memory than a ViT.
   * @throws {TypeError} if the config contradicts the graph.
   */
  static async create(
    file: ModelFile,
    createGraphSession: CreateGraphSession,
  ): Promise<VariantSession> {
    const { bytes, proto, config, outputs } = file;
    assertConfigOfGraph(config, proto.graph);
    const plain = await createGraphSession(bytes, new GraphBounds(proto, config.imageSize));
    const createVariant = async (variant: GraphVariant) => {
      const model = toVariant(file, variant);
      return await createGraphSession(concat(writeModel(model)), new GraphBounds(model));
    };
    return new VariantSession(config, new GraphSessions(plain, outputs, createVariant));
  }

  async run(inputs: NamedTensors, outputs: readonly OutputName[]): Promise<NamedTensors> {
    const variant = { ...variantOf(inputs, this.#config), outputs };
    await using session = await this.#sessions.borrow(variant);
    return await session.run(inputs, outputs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }
}

/** The graph that takes such inputs. */
function variantOf(inputs: NamedTensors, { imageSize }: ViTMSNConfig): GraphVariant {
  const [, , height, width] = inputs.get("pixel_values")!.shape as [number, number, number, number];
  const keptPatches = inputs.get("kept_patches")?.shape[1];
  return {
    ...(height === imageSize[0] && width === imageSize[1] ? {} : { imageSize: [height, width] }),
    ...(inputs.has("bool_masked_pos") ? { masked: true } : {}),
    ...(keptPatches === undefined ? {} : { keptPatches }),
  };
}
