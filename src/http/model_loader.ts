import type { ViTMSNModel } from "../model.ts";

/** A model as the service needs it. */
export interface ServedModel {
  /** Loaded, and whoever serves it disposes of it. */
  readonly model: ViTMSNModel;
  /** Tells this model from any other, for results' ETags: the SHA-256 of its file in hexadecimal. */
  readonly sha256: string;
}

/** Loads a model once. A failure is not kept: whoever asks next tries again. */
export class ModelLoader {
  readonly #load: () => Promise<ServedModel>;
  #loading: Promise<ServedModel> | undefined;
  #isReady = false;

  /** @param model that is there already, or what makes it ready: it begins now. */
  constructor(model: ServedModel | (() => Promise<ServedModel>)) {
    this.#load = typeof model === "function" ? model : () => Promise.resolve(model);
    if (typeof model !== "function") {
      this.#loading = Promise.resolve(model);
      this.#isReady = true;
    } else this.get().catch(() => {}); // whoever asks tries again
  }

  /** Whether the model is there. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The model, when it is there. */
  get(): Promise<ServedModel> {
    return this.#loading ??= this.#begin();
  }

  async #begin(): Promise<ServedModel> {
    try {
      const served = await this.#load();
      this.#isReady = true;
      return served;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }
}
