import { html, nothing, svg, type TemplateResult } from "lit-html";
import type { Classification } from "../../mod.ts";

/** Labels with bars, best first. */
export function labelBars(labels: readonly Classification[], most = 5): TemplateResult {
  return html`
    <ol class="labels">
      ${labels.slice(0, most).map(({ label, score }) =>
        html`
          <li>
            <span class="name">${label}</span>
            <span class="score">${percent(score)}</span>
            ${bar(score)}
          </li>
        `
      )}
    </ol>
    ${labels.length > most ? html`<p class="more">and ${labels.length - most} more</p>` : nothing}
  `;
}

/** A score of 0 to 1; of a regression model, the number itself. */
function percent(score: number): string {
  if (score < 0 || score > 1) return score.toPrecision(3);
  return `${(100 * score).toFixed(score > 0.0995 ? 0 : 1)}\u202f%`;
}

/** Drawn, because the page's policy allows no styles in attributes. */
function bar(score: number): TemplateResult {
  const width = Math.min(Math.max(score, 0), 1) * 100;
  return html`
    <svg class="bar" aria-hidden="true">
      ${svg`
        <rect width="100%" height="100%" class="track" />
        <rect width="${width}%" height="100%" />
      `}
    </svg>
  `;
}
