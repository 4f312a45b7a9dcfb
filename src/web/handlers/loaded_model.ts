import type { ViTMSNModel } from "../../mod.ts";

/** The model that is loaded, with its file. */
export class LoadedModel {
  #model: ViTMSNModel | undefined;
  #bytes: Uint8Array | undefined;

  /**
   * The model.
   *
   * @throws {Error} if none is loaded.
   */
  get current(): ViTMSNModel {
    if (!this.#model) throw new Error("Cannot look at a photo: no model is loaded");
    return this.#model;
  }

  /** Its ONNX file; nothing, if it came from a checkpoint. */
  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  /** Takes another model and frees the one before. */
  async replace(model: ViTMSNModel, bytes: Uint8Array | undefined): Promise<void> {
    const before = this.#model;
    this.#model = model;
    this.#bytes = bytes;
    await before?.[Symbol.asyncDispose]();
  }
}
