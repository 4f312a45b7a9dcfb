import { html, nothing, type TemplateResult } from "lit-html";
import type { App } from "./app.ts";
import { TABS } from "./tabs.ts";

/** What stands around every view: the name, the tabs, the promise, and what the model is. */
export function frame(app: App, current: string, view: TemplateResult): TemplateResult {
  return html`
    <header>
      <h1>ViT-MSN Edge</h1>
      <nav aria-label="Parts of the page">
        ${Object.entries(TABS).map(([name, { title }]) =>
          html`<a href="#${name}" aria-current=${name === current ? "page" : nothing}>${title}</a>`
        )}
      </nav>
      <p class="promise">Nothing is uploaded: everything runs in this browser.</p>
    </header>
    ${app.error ? html`<p class="error" role="alert">${app.error}</p>` : nothing}
    <main>${view}</main>
  `;
}
