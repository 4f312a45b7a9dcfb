/// <reference lib="dom" />
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { ClassRecord, PhotoRecord } from "../store/records.ts";
import { recordButton } from "./record_button.ts";
import { photosText, type Teaching } from "./teaching.ts";
import { ENOUGH } from "./what_is_missing.ts";

/** The photos that a card shows at first, and the more that it shows at each press. */
const [FIRST, MORE] = [12, 60];

/** A card for each class. */
export class ClassCards {
  /** How many photos each card shows. */
  readonly #shown = new Map<string, number>();

  /** The newest photos stand first. */
  render(teaching: Teaching, record: ClassRecord): TemplateResult {
    const { id, name } = record;
    const photos = teaching.project!.members.get(id)!;
    const shown = this.#shown.get(id) ?? FIRST;
    const newest = photos.slice(-shown).reverse();
    const add = (files: readonly File[]) => void teaching.addFiles(id, files);
    return html`
      <li
        class="class ${id === teaching.currentClass ? "current" : ""}"
        @focusin=${() => choose(teaching, id)}
        @drop=${(event: DragEvent) => {
          if (!event.dataTransfer?.files.length) return;
          event.preventDefault();
          event.stopPropagation();
          document.body.classList.remove("dropping");
          add([...event.dataTransfer.files]);
        }}
      >
        <div class="class-head">
          <input
            aria-label="Name of the class ${name}"
            .value=${name}
            autocomplete="off"
            @change=${async ({ target }: Event) => {
              const input = target as HTMLInputElement;
              await teaching.renameClass(id, input.value);
              input.value = teaching.project!.className(id);
            }}
          >
          <span class="count ${photos.length < ENOUGH ? "few" : ""}">${photosText(
            photos.length,
          )}</span>
          <button type="button" class="plain" @click=${() => teaching.deleteClass(record)}>
            Delete<span class="hidden"> the class ${name}</span>
          </button>
        </div>
        <div class="adding">
          <label class="drop small">
            <input
              type="file"
              accept="image/*"
              multiple
              aria-label="Add photos to ${name}"
              @change=${({ target }: Event) => {
                const input = target as HTMLInputElement;
                add([...input.files ?? []]);
                input.value = ""; // so that the same file can be chosen again
              }}
            >
            <strong>Add photos</strong>
            <span>choose, drop or paste</span>
          </label>
          ${recordButton(teaching, record)}
        </div>
        ${photos.length > 0
          ? html`
            <ul class="thumbs" aria-label="Photos of ${name}">
              ${repeat(newest, ({ hash }) => hash, (photo) => thumb(teaching, photo))}
            </ul>
          `
          : nothing}
        ${photos.length > shown
          ? html`
            <button type="button" class="plain" @click=${() => {
              this.#shown.set(id, shown + MORE);
              teaching.app.changed();
            }}>Show ${Math.min(MORE, photos.length - shown)} more of ${photos.length}</button>
          `
          : nothing}
      </li>
    `;
  }
}

/** What is pasted goes to the class in which the visitor was last. */
function choose(teaching: Teaching, id: string): void {
  if (teaching.currentClass === id) return;
  teaching.currentClass = id;
  teaching.app.changed();
}

function thumb(teaching: Teaching, { hash, name }: PhotoRecord): TemplateResult {
  const url = teaching.thumbnails.url(teaching.project!, hash);
  return html`
    <li>
      ${url ? html`<img src=${url} alt=${name}>` : html`<span class="empty"></span>`}
      <button
        type="button"
        aria-label="Delete the photo ${name}"
        title="Delete ${name}"
        @click=${() => teaching.deletePhotos([hash])}
      >×</button>
    </li>
  `;
}
