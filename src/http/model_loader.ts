import type { ServedModel } from "./served_model.ts";

/** Loads a model once. A failure is not kept: the next request tries again. */
export class ModelLoader {
  readonly #load: () => Promise<ServedModel>;
  #loading: Promise<ServedModel> | undefined;
  #served: ServedModel | undefined;

  /** @param model that is there already, or what makes it ready: it begins now. */
  constructor(model: ServedModel | (() => Promise<ServedModel>)) {
    this.#load = typeof model === "function" ? model : () => Promise.resolve(model);
    if (typeof model !== "function") {
      this.#loading = Promise.resolve(model);
      this.#served = model;
    } else this.get().catch(() => {}); // the next request tries again
  }

  /** The model, once it is there. */
  get served(): ServedModel | undefined {
    return this.#served;
  }

  /** The model, when it is there. */
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
