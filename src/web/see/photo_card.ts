/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import type { App, Photo } from "../app.ts";
import { labelBars } from "../parts/label_bars.ts";
import { milliseconds } from "../parts/milliseconds.ts";

/** A photo and what the model says about it. */
export function photoCard(app: App, photo: Photo): TemplateResult {
  const { answer, error, name, url } = photo;
  return html`
    <li class="card" aria-busy=${answer || error ? "false" : "true"}>
      ${error ? nothing : html`<img src=${url} alt=${name}>`}
      <div class="says">
        <h3>${name}</h3>
        ${error ? html`<p class="error" role="alert">${error}</p>` : nothing}
        ${answer ? said(app, answer) : nothing}
        ${answer || error ? nothing : html`<p class="waiting">Looking…</p>`}
        <p class="actions">
          ${answer
            ? html`
              <a
                class="button"
                href="#explain"
                @click=${() => app.selected = photo}
              >Explain<span class="hidden"> ${name}</span></a>
            `
            : nothing}
          <button type="button" class="plain" @click=${() => app.remove(photo)}>
            Remove<span class="hidden"> ${name}</span>
          </button>
        </p>
      </div>
    </li>
  `;
}

function said(app: App, answer: NonNullable<Photo["answer"]>): TemplateResult {
  const { labels, milliseconds: { decode, preprocess, forward }, width, height } = answer;
  return html`
    ${labels.length > 0 ? labelBars(labels) : html`
      <p>
        This model is a backbone without a classifier. It made an embedding of
        ${app.model?.dimensions} numbers.
      </p>
    `}
    <dl class="steps">
      <div>
        <dt>Decode</dt>
        <dd>${milliseconds(decode)}</dd>
      </div>
      <div>
        <dt>Preprocess</dt>
        <dd>${milliseconds(preprocess)}</dd>
      </div>
      <div>
        <dt>Embed</dt>
        <dd>${milliseconds(forward)}</dd>
      </div>
      <div>
        <dt>Pixels</dt>
        <dd>${width} × ${height}</dd>
      </div>
    </dl>
  `;
}
