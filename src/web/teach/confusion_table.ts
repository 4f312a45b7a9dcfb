import { html, type TemplateResult } from "lit-html";
import type { HeadEvaluation } from "../../mod.ts";

/** Shades of a cell; teach.css has one for each. */
const SHADES = 5;

/** The confusion matrix: a row a true class, a column a predicted one. */
export function confusionTable({ classes, confusion }: HeadEvaluation): TemplateResult {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
      <table class="confusion">
        <thead>
          <tr>
            <th scope="col">is ↓ named →</th>
            ${classes.map(({ label }) => html`<th scope="col">${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${confusion.map((row, c) =>
            html`
              <tr>
                <th scope="row">${classes[c]!.label}</th>
                ${row.map((times, other) =>
                  html`<td class="${other === c ? "hit" : "miss"} shade-${
                    shade(times, classes[c]!.count)
                  }">${times}</td>`
                )}
              </tr>
            `
          )}
        </tbody>
      </table>
    </div>
  `;
}

function shade(times: number, total: number): number {
  return times === 0 ? 0 : Math.max(1, Math.round(times / total * (SHADES - 1)));
}
