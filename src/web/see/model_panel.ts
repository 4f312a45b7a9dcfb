/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "../app.ts";
import { engineText } from "../parts/engine_text.ts";
import { milliseconds } from "../parts/milliseconds.ts";

/** What is loaded and what computes it; takes another model. */
export function modelPanel(app: App): TemplateResult {
  const { model } = app;
  return html`
    <section class="model" aria-labelledby="model">
      <h2 id="model">The model</h2>
      ${model
        ? html`
          <dl>
            <div>
              <dt>Loaded</dt>
              <dd>${model.name}</dd>
            </div>
            <div>
              <dt>Knows</dt>
              <dd class="known">
                ${model.labels.length > 0
                  ? model.labels.slice(0, MOST_LABELS).join(", ") +
                    (model.labels.length > MOST_LABELS
                      ? ` and ${model.labels.length - MOST_LABELS} more`
                      : "")
                  : "no labels: it is a backbone"}
              </dd>
            </div>
            <div>
              <dt>Sees</dt>
              <dd>${model.imageSize[1]} × ${model.imageSize[0]} pixels</dd>
            </div>
            <div>
              <dt>Engine</dt>
              <dd class="engine">${engineText(model.engine)}</dd>
            </div>
            <div>
              <dt>Ready after</dt>
              <dd>
                ${milliseconds(model.milliseconds.download)} to read,
                ${milliseconds(model.milliseconds.start)} to start
              </dd>
            </div>
          </dl>
        `
        : nothing}
      <label class="field">
        <span>Open an .onnx file of this project</span>
        <input type="file" accept=".onnx" @change=${({ target }: Event) => openFile(app, target)}>
      </label>
      <form
        class="field"
        @submit=${(event: SubmitEvent) => {
          event.preventDefault();
          const hub = String(new FormData(event.target as HTMLFormElement).get("hub")).trim();
          if (hub) void app.load({ hub });
        }}
      >
        <label for="hub">Or download one from the Hugging Face hub</label>
        <span class="row">
          <input
            id="hub"
            name="hub"
            placeholder="facebook/vit-msn-small"
            autocomplete="off"
            spellcheck="false"
          >
          <button type="submit">Load</button>
        </span>
      </form>
    </section>
  `;
}

const MOST_LABELS = 12;

async function openFile(app: App, target: EventTarget | null): Promise<void> {
  const input = target as HTMLInputElement;
  const file = input.files?.[0];
  if (!file) return;
  const bytes = new Uint8Array(await file.arrayBuffer());
  input.value = "";
  await app.load({ bytes, name: file.name });
}
