import { html, nothing, type TemplateResult } from "lit-html";
import type { Work } from "./teaching.ts";

/** How far long work is. It keeps its place, so that nothing moves when it begins and ends. */
export function workLine(work: Work | undefined): TemplateResult {
  const { what, done = 0, total } = work ?? {};
  return html`
    <p class="work" role="status">
      ${work
        ? html`
          <label>
            <span>${what}${total ? html`, ${done} of ${total}` : nothing}</span>
            <progress max="1" value=${total ? done / total : nothing}></progress>
          </label>
        `
        : nothing}
    </p>
  `;
}
