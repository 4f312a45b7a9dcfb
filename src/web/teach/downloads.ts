/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import type { Teaching } from "./teaching.ts";

/** How the downloaded model is served and asked. */
const SHELL = `deno task classify photo.jpg --model my.onnx --json
deno task serve --model my.onnx
curl --data-binary @photo.jpg http://127.0.0.1:8000/classify`;

/** The files that a visitor takes away, and the project's file in both directions. */
export function downloads(teaching: Teaching): TemplateResult {
  const { taught, project, isFitting, work, app: { client } } = teaching;
  const isBusy = isFitting || !!work;
  const isEmpty = !project || project.photos.length === 0;
  const button = (text: string, name: string, isOff: boolean, make: () => Promise<Blob>) =>
    html`
      <button
        type="button"
        ?disabled=${isOff || isBusy}
        @click=${() => teaching.download(name, make)}
      >${text}</button>
    `;
  return html`
    <section class="panel" aria-labelledby="files">
      <h2 id="files">Take it with you</h2>
      <p class="actions">
        ${button("my.onnx", "my.onnx", !taught, () => client.request("writeModel", undefined))}
        ${button("Head alone", "head.onnx", !taught, () => client.request("writeHead", undefined))}
        ${button("Embeddings", "embeddings.jsonl", isEmpty, () => teaching.exportEmbeddings())}
        ${button("Whole project", "project.zip", isEmpty, () => teaching.exportProject())}
      </p>
      ${taught
        ? html`
          <p class="waiting">my.onnx is a whole model. The command line and the service use it as it is:</p>
          <pre>${SHELL}</pre>
        `
        : nothing}
      <label class="button-like">
        <input
          type="file"
          accept=".zip,application/zip"
          aria-label="Import a project"
          ?disabled=${isBusy || !project || !teaching.app.model}
          @change=${({ target }: Event) => {
            const input = target as HTMLInputElement;
            const [file] = input.files ?? [];
            if (file) void teaching.importProject(file);
            input.value = "";
          }}
        >
        <span>Import a project (.zip)</span>
      </label>
      <p class="waiting">
        Classes and photos stay in this browser until you delete them; the zip file is for another browser, or
        to be safe.
      </p>
    </section>
  `;
}
