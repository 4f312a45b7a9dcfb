/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";

/** A slider with its name and its value. */
export function slider(
  name: string,
  text: string,
  range: { readonly min: number; readonly max: number; readonly step: number },
  value: number,
  change: (value: number) => void,
): TemplateResult {
  return html`
    <label class="slider">
      <span>${name}</span>
      <span class="value" aria-hidden="true">${text}</span>
      <input
        type="range"
        min=${range.min}
        max=${range.max}
        step=${range.step}
        .value=${String(value)}
        aria-valuetext=${text}
        @input=${({ target }: Event) => change((target as HTMLInputElement).valueAsNumber)}
      >
    </label>
  `;
}
