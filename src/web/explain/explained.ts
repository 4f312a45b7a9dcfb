import type { App, Photo } from "../app.ts";
import type { AttentionsReply, OverlayReply } from "./explain_messages.ts";
import type { MapChoice } from "./map_table.ts";

/** What the visitor has set. */
export interface Settings extends MapChoice {
  /** The share of the attention that the mask keeps, from 0 to 1; 1 shows all. */
  readonly threshold: number;
  /** The share of patches that are kept. */
  readonly keepPatches: number;
  /** Of the random choice of patches. */
  readonly seed: number;
  /** The share of the colour. */
  readonly opacity: number;
}

/** The settings of a model with that many blocks: those of `deno task attention`. */
export function firstSettings(blocks: number): Settings {
  return {
    layer: blocks - 1,
    head: "mean",
    rollout: false,
    threshold: 1,
    keepPatches: 1,
    seed: 0,
    opacity: 0.6,
  };
}

/**
 * Keeps what is shown in step with the settings: one request at a time, and of those that come meanwhile
 * only the last.
 */
export class Explained {
  /** What the model looks at on the photo, with the present patches. */
  reply: AttentionsReply | undefined;
  /** The present map on the photo. */
  overlay: OverlayReply | undefined;
  error: string | undefined;
  readonly #app: App;
  #wanted: { readonly photo: Photo; readonly settings: Settings } | undefined;
  #isBusy = false;
  /** The photo and the settings that `reply` answers. */
  #computed = "";

  constructor(app: App) {
    this.#app = app;
  }

  /** Whether what is shown was computed with other settings than the last ones. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Shows a photo with these settings, soon. */
  async show(photo: Photo, settings: Settings): Promise<void> {
    this.#wanted = { photo, settings };
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#wanted) {
      const { photo, settings } = this.#wanted;
      this.#wanted = undefined;
      try {
        await this.#update(photo, settings);
        this.error = undefined;
      } catch (error) {
        this.error = (error as Error).message;
        this.reply = this.overlay = undefined;
        this.#computed = "";
      }
      this.#app.changed();
    }
    this.#isBusy = false;
    this.#app.changed();
  }

  /** Forgets what is shown, as when another model is loaded. */
  clear(): void {
    this.#computed = "";
    this.reply = this.overlay = undefined;
  }

  async #update({ file, id }: Photo, settings: Settings): Promise<void> {
    const { client } = this.#app;
    const { keepPatches, seed, threshold, layer, head, rollout, opacity } = settings;
    const computed = [id, keepPatches, seed].join();
    if (this.#computed !== computed) {
      this.reply = await client.attentions({ image: file, id, keepPatches, seed });
      this.#computed = computed;
    }
    this.overlay = await client.overlay({
      layer,
      head,
      rollout,
      opacity,
      ...(threshold < 1 ? { threshold } : {}),
    });
  }
}
