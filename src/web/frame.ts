import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "./app.ts";
import { TABS } from "./tabs.ts";

/** What stands around every view: the name, the tabs, the promise, and how loading a model stands. */
export function frame(app: App, current: string, view: TemplateResult): TemplateResult {
  return html`
    <header>
      <div class="brand">
        <img src="icon.svg" alt="" width="40" height="40">
        <h1>ViT-MSN Edge</h1>
      </div>
      <nav aria-label="Parts of the page">
        ${Object.entries(TABS).map(([name, { title }]) =>
          html`<a href="#${name}" aria-current=${name === current ? "page" : nothing}>${title}</a>`
        )}
      </nav>
      <p class="promise">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 1 14 3.500V8c0 3.500-2.500 6-6 7-3.500-1-6-3.500-6-7V3.500Z"/>
          <path class="tick" d="m5 8 2.200 2.200L11.200 6"/>
        </svg>
        Nothing is uploaded: your photos stay in this browser.
      </p>
    </header>
    ${loading(app)}
    ${app.error ? html`<p class="error banner" role="alert">${app.error}</p>` : nothing}
    <main>${view}</main>
  `;
}

function loading({ loading }: App): TemplateResult {
  if (!loading) return html`<p class="loading" role="status"></p>`;
  const { name, received, total } = loading;
  const isKnown = total > 0 && received <= total;
  return html`
    <p class="loading" role="status">
      <label>
        Loading ${name}
        <progress max="1" value=${isKnown ? received / total : nothing}></progress>
      </label>
    </p>
  `;
}
