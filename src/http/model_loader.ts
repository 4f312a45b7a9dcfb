import type { ServedModel } from "./served_model.ts";

/** Loads a model once. A failure is not kept: the next request tries again. */
export class ModelLoader {
  readonly #load: () => Promise<ServedModel>;
  #loading: Promise<ServedModel> | undefined;
  #served: ServedModel | undefined;

  /** @param model a loaded model, or a function that loads it, which is called now. */
  constructor(model: ServedModel | (() => Promise<ServedModel>)) {
    this.#load = typeof model === "function" ? model : () => Promise.resolve(model);
    if (typeof model !== "function") {
      this.#loading = Promise.resolve(model);
      this.#served = model;
    } else this.get().catch(() => {}); // the next request tries again
  }

  /** The model, once it is loaded. */
  get served(): ServedModel | undefined {
    return this.#served;
  }

  /** The model if it is loaded. */
  get(): Promise<ServedModel> {
    return this.#loading ??= this.#begin();
  }

  async #begin(): Promise<ServedModel> {
    try {
      return this.#served = await this.#load();
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }
}
