/// <reference lib="dom" />
import { html, nothing, svg, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "./app.ts";
import type { ComparedPhoto } from "./compare/compared_photo.ts";
import { cosine, nearest } from "./compare/cosine.ts";
import { markOf, markPath } from "./compare/palette.ts";
import { PhotoMap } from "./compare/photo_map.ts";
import { photoInput } from "./parts/photo_input.ts";
import { takeFiles } from "./parts/take_files.ts";
import type { ModelSummary } from "./messages.ts";
import { noticeBar } from "./teach/notice_bar.ts";
import type { NewPhoto } from "./teach/project.ts";
import { Teaching, vectorsOf } from "./teach/teaching.ts";
import { workLine } from "./teach/work_line.ts";
import type { View } from "./view.ts";

const NEIGHBOURS = 8;
const SLOTS = [0, 1] as const;
const SLOT_NAMES = ["First photo", "Second photo"] as const;

/** Compares photos: two of them, the nearest ones, and all on a map. */
export class CompareView implements View {
  #app!: App;
  /** Photos that are in no class, by their hashes: of this tab and of See. */
  #others = new Map<string, NewPhoto>();
  readonly #read = new Set<Blob>();
  readonly #chosen: (string | undefined)[] = [undefined, undefined];
  #slot: 0 | 1 = 0;
  #pointed: ComparedPhoto | undefined;
  #photos: readonly ComparedPhoto[] = [];
  #points = new Float32Array();
  #key = "";
  #model: ModelSummary | undefined;
  #end = () => {};
  readonly #map = new PhotoMap({
    onPoint: (photo) => {
      this.#pointed = photo;
      this.#app.changed();
    },
    onChoose: (photo) => this.#choose(photo),
  });

  open(app: App): void {
    this.#app = app;
    void Teaching.of(app).open();
    this.#end = takeFiles((files) => void this.#add(files, true));
  }

  close(app: App): void {
    this.#end();
    Teaching.of(app).say(undefined);
  }

  render(app: App): TemplateResult {
    const teaching = Teaching.of(app);
    void teaching.followModel();
    this.#follow(teaching);
    const [first, second] = this.#chosen.map((hash) => this.#find(hash));
    return html`
      <div class="compare">
        <section aria-labelledby="map-title">
          <h2 id="map-title">Map of all photos</h2>
          ${this.#photos.length === 0
            ? html`<p class="advice">
              No photos yet: add some here, or teach classes. Similar photos lie near each other; a photo of one
              colour among those of another may have a wrong label.
            </p>`
            : html`
              ${this.#map.render({
                photos: this.#photos,
                points: this.#points,
                chosen: [first, second],
              })}
              ${this.#legend(teaching)}
              <div class="panel pointed">
                ${this.#pointed
                  ? this.#image(teaching, this.#pointed, "")
                  : html`<span class="empty"></span>`}
                <p aria-live="polite" class=${this.#pointed ? "" : "waiting"}>
                  ${this.#pointed
                    ? describe(this.#pointed)
                    : "Point at a photo on the map, or go there by arrow keys; a click or Enter chooses it."}
                </p>
              </div>
            `}
          ${photoInput((files) => void this.#add(files, true))}
          ${teaching.work ? workLine(teaching.work) : nothing}
        </section>
        <div class="side">
          <section class="panel" aria-labelledby="two">
            <h2 id="two">Two photos</h2>
            <div class="slots">
              ${SLOTS.map((slot) => this.#slotButton(teaching, slot))}
            </div>
            <p class="similarity" aria-live="polite">
              ${first && second
                ? html`Cosine similarity <strong>${
                  cosine(first.embedding, second.embedding).toFixed(4)
                }</strong>`
                : "Choose two photos: on the map, or among the nearest."}
            </p>
          </section>
          ${first ? this.#nearest(teaching, first) : nothing}
        </div>
      </div>
      ${noticeBar(teaching)}
    `;
  }

  #legend({ counts }: Teaching): TemplateResult {
    const entries = [
      ...counts.map(({ name, count }, place) => ({ name, count, place })),
      ...(this.#others.size > 0
        ? [{ name: "of no class", count: this.#others.size, place: -1 }]
        : []),
    ].filter(({ count }) => count > 0);
    return html`
      <ul class="legend" aria-label="Classes">
        ${entries.map(({ name, count, place }) => {
          const mark = markOf(place);
          return html`
            <li>
              <svg viewBox="-10 -10 20 20" aria-hidden="true">${svg`
                <path d=${markPath(mark, 7)} fill=${mark.colour} />
              `}</svg>
              ${name} <span class="waiting">${count}</span>
            </li>
          `;
        })}
      </ul>
    `;
  }

  #slotButton(teaching: Teaching, slot: 0 | 1): TemplateResult {
    const photo = this.#find(this.#chosen[slot]);
    return html`
      <button
        type="button"
        class="slot"
        aria-pressed=${slot === this.#slot ? "true" : "false"}
        @click=${() => {
          this.#slot = slot;
          this.#app.changed();
        }}
      >
        ${photo ? this.#image(teaching, photo, "") : html`<span class="empty"></span>`}
        <span>${SLOT_NAMES[slot]}${photo ? html`: ${describe(photo)}` : nothing}</span>
      </button>
    `;
  }

  #nearest(teaching: Teaching, first: ComparedPhoto): TemplateResult {
    const others = this.#photos.filter(({ hash }) => hash !== first.hash);
    const near = nearest(first.embedding, others.map(({ embedding }) => embedding), NEIGHBOURS)
      .map(({ index, similarity }) => ({ photo: others[index]!, similarity }));
    return html`
      <section class="panel" aria-labelledby="nearest">
        <h2 id="nearest">Nearest to the first</h2>
        ${near.length === 0 ? html`<p class="waiting">There is no other photo.</p>` : nothing}
        <ol class="nearest">
          ${repeat(near, ({ photo }) => photo.hash, ({ photo, similarity }) =>
            html`
              <li>
                <button type="button" @click=${() => {
                  this.#slot = 1;
                  this.#choose(photo);
                }}>
                  ${this.#image(teaching, photo, "")}
                  <span>${photo.label || photo.name}<br><strong>${similarity.toFixed(3)}</strong>
                    <span class="hidden">${photo.name}</span></span>
                </button>
              </li>
            `)}
        </ol>
      </section>
    `;
  }

  #image({ thumbnails, project }: Teaching, { hash }: ComparedPhoto, alt: string): TemplateResult {
    const url = project && thumbnails.url(project, hash);
    return url ? html`<img src=${url} alt=${alt}>` : html`<span class="empty"></span>`;
  }

  #find(hash: string | undefined): ComparedPhoto | undefined {
    return hash === undefined ? undefined : this.#photos.find((photo) => photo.hash === hash);
  }

  /** The first choice goes to the first place, the next ones to the second. */
  #choose({ hash }: ComparedPhoto): void {
    this.#chosen[this.#slot] = hash;
    this.#slot = 1;
    this.#app.changed();
  }

  /** Reads photos that are in no class. Those that are dropped here are chosen. */
  async #add(files: readonly Blob[], isChosen: boolean): Promise<void> {
    const teaching = Teaching.of(this.#app);
    for (const file of files) {
      if (this.#read.has(file)) continue;
      this.#read.add(file);
      await teaching.do(async () => {
        const name = (file as File).name ?? "photo";
        const photo = await this.#app.client.request("readPhoto", { image: file, name });
        teaching.thumbnails.keep(photo.hash, photo.thumbnail);
        this.#others.set(photo.hash, photo);
        this.#key = "";
        if (!isChosen) return;
        this.#follow(teaching);
        this.#choose(this.#find(photo.hash)!);
      });
    }
  }

  /** Brings photos and map up to the project, to the photos of See and to the model. */
  #follow(teaching: Teaching): void {
    const { project, app } = teaching;
    if (!project || !app.model || app.loading) return;
    if (this.#model && this.#model !== app.model) {
      // Other embeddings: what was read before is read again when it is dropped again.
      this.#others = new Map();
      this.#read.clear();
    }
    this.#model = app.model;
    const seen = app.photos.filter(({ error, file }) =>
      error === undefined && !this.#read.has(file)
    );
    if (seen.length > 0) void this.#addSeen(seen);
    const key = `${project.version} ${this.#others.size}`;
    if (key === this.#key) return;
    this.#key = key;
    const places = new Map(project.classes.map(({ id }, place) => [id, place]));
    const photos: ComparedPhoto[] = project.photos.map(({ hash, name, classId, embedding }) => ({
      hash,
      name,
      label: project.className(classId),
      classPlace: places.get(classId)!,
      embedding,
    }));
    const size = photos[0]?.embedding.length;
    for (const { hash, name, embedding } of this.#others.values()) {
      if (project.photo(hash)) continue;
      photos.push({ hash, name, label: "", classPlace: -1, embedding });
    }
    // While another model's embeddings are still computed, they differ in length.
    if (photos.some(({ embedding }) => embedding.length !== (size ?? embedding.length))) return;
    this.#photos = photos;
    this.#points = new Float32Array();
    void teaching.do(async () => {
      const vectors = vectorsOf(photos);
      const transfer = [vectors.data.buffer];
      const points = await app.client.request("project", vectors, { transfer });
      if (this.#photos === photos) this.#points = points;
    });
  }

  async #addSeen(photos: App["photos"]): Promise<void> {
    for (const { file, name } of photos) {
      await this.#add([file instanceof File ? file : new File([file], name)], false);
      this.#read.add(file);
    }
  }
}

function describe({ name, label }: ComparedPhoto): string {
  return label === "" ? `${name}, in no class` : `${name}, in “${label}”`;
}
