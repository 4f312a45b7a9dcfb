/// <reference lib="dom" />
import { html, type TemplateResult } from "lit-html";

/** A field that takes photos: by a click, by the keyboard, and by a drop, as the whole page does. */
export function photoInput(take: (files: readonly File[]) => void): TemplateResult {
  return html`
    <label class="drop">
      <input
        type="file"
        accept="image/*"
        multiple
        @change=${({ target }: Event) => {
          const input = target as HTMLInputElement;
          take([...input.files ?? []]);
          input.value = ""; // so that the same file can be chosen again
        }}
      >
      <strong>Choose photos</strong>
      <span>or drop or paste them anywhere on this page</span>
    </label>
  `;
}
