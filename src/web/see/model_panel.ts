/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";
import type { App } from "../app.ts";
import type { ModelSummary } from "../messages.ts";
import { engineText } from "../parts/engine_text.ts";
import { milliseconds } from "../parts/milliseconds.ts";

/** Before a model is loaded; as high as what comes then. */
const PENDING = "…";

const MOST_LABELS = 12;

/** What is loaded and what computes it; takes another model. */
export function modelPanel(app: App): TemplateResult {
  const { model } = app;
  const size = model ? `${model.imageSize[1]} × ${model.imageSize[0]} pixels` : PENDING;
  return html`
    <section class="model" aria-labelledby="model">
      <h2 id="model">The model</h2>
      <dl>
        <div>
          <dt>Loaded</dt>
          <dd>${model?.name ?? PENDING}</dd>
        </div>
        <div>
          <dt>Knows</dt>
          <dd>${model ? known(model) : PENDING}</dd>
        </div>
        <div>
          <dt>Sees</dt>
          <dd>${size}</dd>
        </div>
        <div>
          <dt>Engine</dt>
          <dd class="engine">${model ? engineText(model.engine) : PENDING}</dd>
        </div>
        <div>
          <dt>Ready after</dt>
          <dd>${model ? times(model) : PENDING}</dd>
        </div>
      </dl>
      <label class="field">
        <span>Open an .onnx file of this project</span>
        <input type="file" accept=".onnx" @change=${({ target }: Event) => openFile(app, target)}>
      </label>
      <form class="field" @submit=${(event: SubmitEvent) => openHub(app, event)}>
        <label for="hub">Or download one from the Hugging Face hub</label>
        <span class="row">
          <input
            id="hub"
            name="hub"
            placeholder="org/name"
            autocomplete="off"
            spellcheck="false"
          >
          <button type="submit">Load</button>
        </span>
      </form>
    </section>
  `;
}

function known({ labels }: ModelSummary): string {
  if (labels.length === 0) return "no labels: it is a backbone";
  const more = labels.length - MOST_LABELS;
  return labels.slice(0, MOST_LABELS).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function times({ milliseconds: { download, start } }: ModelSummary): string {
  return `${milliseconds(download)} to read, ${milliseconds(start)} to start`;
}

async function openFile(app: App, target: EventTarget | null): Promise<void> {
  const input = target as HTMLInputElement;
  const file = input.files?.[0];
  if (!file) return;
  const bytes = new Uint8Array(await file.arrayBuffer());
  input.value = "";
  await app.load({ bytes, name: file.name });
}

function openHub(app: App, event: SubmitEvent): void {
  event.preventDefault();
  const hub = String(new FormData(event.target as HTMLFormElement).get("hub")).trim();
  if (hub) void app.load({ hub });
}
