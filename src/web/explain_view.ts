/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import type { App, Photo } from "./app.ts";
import type { OverlayReply } from "./explain/explain_messages.ts";
import { Explained, firstSettings, type Settings } from "./explain/explained.ts";
import { mapTable } from "./explain/map_table.ts";
import { slider } from "./explain/slider.ts";
import type { ModelSummary } from "./messages.ts";
import { labelBars } from "./parts/label_bars.ts";
import { milliseconds } from "./parts/milliseconds.ts";
import { photoInput } from "./parts/photo_input.ts";
import { takeFiles } from "./parts/take_files.ts";
import { examples } from "./see/examples.ts";
import type { View } from "./view.ts";

/** Shows what the model looks at on a photo, and what it says of some of its patches only. */
export class ExplainView implements View {
  #explained: Explained | undefined;
  #settings: Settings | undefined;
  /** The model that the settings belong to. */
  #model: ModelSummary | undefined;
  /** What is shown. */
  #photo: Photo | undefined;
  #end = () => {};

  open(app: App): void {
    this.#end = takeFiles((files) => void app.add(files));
  }

  close(): void {
    this.#end();
  }

  render(app: App): TemplateResult {
    const { model, selected } = app;
    if (model && model !== this.#model) {
      this.#model = model;
      this.#settings = firstSettings(model.layers);
      this.#explained?.clear();
      this.#photo = undefined;
    }
    this.#explained ??= new Explained(app);
    if (model && selected && selected !== this.#photo) {
      this.#photo = selected;
      this.#show();
    }
    const take = (files: readonly File[]) => void app.add(files);
    if (!selected) return html`${photoInput(take)} ${examples(take)}`;
    return html`
      <h2 class="hidden">What the model looks at</h2>
      ${strip(app)} ${this.#settings ? this.#body(app, selected, this.#settings) : nothing}
      <div class="more-photos">${photoInput(take)}</div>
      ${examples(take)}
    `;
  }

  #set(change: Partial<Settings>, app: App): void {
    this.#settings = { ...this.#settings!, ...change };
    this.#show();
    app.changed();
  }

  #show(): void {
    void this.#explained!.show(this.#photo!, this.#settings!);
  }

  #body(app: App, photo: Photo, settings: Settings): TemplateResult {
    const { reply, overlay, error, isBusy } = this.#explained!;
    if (error) return html`<p class="error banner" role="alert">${photo.name}: ${error}</p>`;
    const set = (change: Partial<Settings>) => this.#set(change, app);
    return html`
      <div class="explain" aria-busy=${String(isBusy)}>
        <figure>
          ${overlay
            ? picture(overlay, photo, settings)
            : html`<img src=${photo.url} alt=${photo.name}>`}
          <figcaption>
            ${caption(settings)}. Dark is least, pale yellow most.
          </figcaption>
        </figure>
        <div class="controls">
          ${controls(settings, this.#model!, set)}
          <section class="answer" aria-labelledby="answer">
            <h3 id="answer">${settings.keepPatches < 1
              ? "What it says of these patches"
              : "What it says"}</h3>
            <div aria-live="polite">${reply?.attentions.labels
              ? labelBars(reply.attentions.labels)
              : html`<p>${reply ? "This model is a backbone without a classifier." : ""}</p>`}</div>
            ${reply ? html`<p class="more">in ${milliseconds(reply.milliseconds)}</p>` : nothing}
          </section>
        </div>
        ${reply
          ? html`
            <section aria-labelledby="maps">
              <h3 id="maps">All blocks and heads</h3>
              ${mapTable(reply.attentions, settings, set)}
            </section>
          `
          : nothing}
      </div>
    `;
  }
}

/** The photos, to choose one. */
function strip(app: App): TemplateResult {
  if (app.photos.length < 2) return html``;
  return html`
    <ul class="strip" aria-label="Photos">
      ${app.photos.filter(({ error }) => !error).map((photo) =>
        html`
          <li>
            <button
              type="button"
              aria-pressed=${photo === app.selected}
              @click=${() => {
                app.selected = photo;
                app.changed();
              }}
            ><img src=${photo.url} alt=${photo.name} width="56" height="56"></button>
          </li>
        `
      )}
    </ul>
  `;
}

function picture(overlay: OverlayReply, photo: Photo, settings: Settings): TemplateResult {
  const { width, height, rgba } = overlay;
  return html`
    <canvas
      width=${width}
      height=${height}
      role="img"
      aria-label="${photo.name} with ${caption(settings)}"
      ${ref((canvas) =>
        (canvas as HTMLCanvasElement | undefined)?.getContext("2d")
          ?.putImageData(new ImageData(rgba, width, height), 0, 0)
      )}
    ></canvas>
  `;
}

function caption({ layer, head, rollout, threshold, keepPatches }: Settings): string {
  const what = rollout
    ? `the rollout through the blocks 0 to ${layer}`
    : `the attention of block ${layer}, ${head === "mean" ? "mean of the heads" : `head ${head}`}`;
  return what +
    (threshold < 1 ? `; the patches that hold ${percent(threshold)} of it` : "") +
    (keepPatches < 1 ? `; dropped patches are grey` : "");
}

function controls(
  settings: Settings,
  { layers, heads }: ModelSummary,
  set: (change: Partial<Settings>) => void,
): TemplateResult {
  const { layer, head, rollout, threshold, keepPatches, opacity } = settings;
  const maps = [
    { name: "Mean", head: "mean" as const, rollout: false },
    ...Array.from({ length: heads }, (_, head) => ({ name: `Head ${head}`, head, rollout: false })),
    { name: "Rollout", head: "mean" as const, rollout: true },
  ];
  return html`
    <fieldset class="choice">
      <legend>Attention</legend>
      ${maps.map((map) =>
        html`
          <label>
            <input
              type="radio"
              name="map"
              .checked=${map.head === head && map.rollout === rollout}
              @change=${() => set({ head: map.head, rollout: map.rollout })}
            ><span>${map.name}</span>
          </label>
        `
      )}
    </fieldset>
    ${slider(
      "Block",
      String(layer),
      { min: 0, max: layers - 1, step: 1 },
      layer,
      (layer) => set({ layer }),
    )}
    ${slider(
      "Threshold",
      threshold < 1 ? `${percent(threshold)} of the attention` : "off",
      { min: 0.05, max: 1, step: 0.05 },
      threshold,
      (threshold) => set({ threshold }),
    )}
    ${slider(
      "Colour",
      percent(opacity),
      { min: 0, max: 1, step: 0.05 },
      opacity,
      (opacity) => set({ opacity }),
    )}
    <div class="keep">
      ${slider(
        "Keep patches",
        keepPatches < 1 ? percent(keepPatches) : "all",
        { min: 0.05, max: 1, step: 0.05 },
        keepPatches,
        (keepPatches) => set({ keepPatches }),
      )}
      <button
        type="button"
        ?disabled=${keepPatches === 1}
        @click=${() => set({ seed: settings.seed + 1 })}
      >Keep others</button>
    </div>
  `;
}

function percent(share: number): string {
  return `${Math.round(100 * share)}\u202f%`;
}
