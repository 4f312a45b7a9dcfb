/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "./app.ts";
import { photoInput } from "./parts/photo_input.ts";
import { takeFiles } from "./parts/take_files.ts";
import { Camera } from "./see/camera.ts";
import { examples } from "./see/examples.ts";
import { modelPanel } from "./see/model_panel.ts";
import { photoCard } from "./see/photo_card.ts";
import type { View } from "./view.ts";

/** Names what is on photos. */
export class SeeView implements View {
  #camera: Camera | undefined;
  #end = () => {};

  open(app: App): void {
    const take = (files: readonly File[]) => void app.add(files);
    this.#camera ??= new Camera(() => app.changed(), take);
    this.#end = takeFiles(take);
  }

  close(): void {
    this.#end();
    this.#camera?.stop();
  }

  render(app: App): TemplateResult {
    const take = (files: readonly File[]) => void app.add(files);
    return html`
      <div class="columns">
        <div>
          ${photoInput(take)} ${this.#camera?.render()}
          <h2 class="hidden">Photos</h2>
          <ul class="cards" aria-live="polite">
            ${repeat(app.photos, ({ id }) => id, (photo) => photoCard(app, photo))}
          </ul>
          ${examples(take)}
        </div>
        ${modelPanel(app)}
      </div>
    `;
  }
}
