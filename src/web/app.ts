/// <reference lib="dom" />
import type { Classification } from "../mod.ts";
import type { LoadProgress, LoadRequest, ModelSummary, Steps } from "./messages.ts";
import { ModelClient } from "./model_client.ts";

/** A photo on the page. */
export interface Photo {
  readonly id: number;
  readonly name: string;
  readonly file: Blob;
  /** Where `img` finds it. */
  readonly url: string;
  /** What the model says, once it has said so. */
  answer?: {
    readonly labels: readonly Classification[];
    readonly milliseconds: Steps;
    readonly width: number;
    readonly height: number;
  };
  /** Why it cannot be read. */
  error?: string;
}

/** How loading a model stands. */
export type Loading = LoadProgress & { readonly name: string };

/** What all views share: the model, the photos, and how to draw anew. */
export class App {
  readonly client: ModelClient = new ModelClient();
  /** The newest first. */
  photos: readonly Photo[] = [];
  /** The photo that Explain looks at. */
  selected: Photo | undefined;
  /** Once it is loaded. */
  model: ModelSummary | undefined;
  loading: Loading | undefined;
  /** What went wrong at last, for all to see. */
  error: string | undefined;
  readonly #draw: () => void;
  #lastId = 0;
  #isDrawing = false;

  /** @param draw renders the page from the state. */
  constructor(draw: () => void) {
    this.#draw = draw;
  }

  /** Draws the page anew, soon and once, after something has changed. */
  changed(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      this.#draw();
    });
  }

  /** Loads a model, and asks it about the photos that are there. */
  async load(request: LoadRequest): Promise<void> {
    const name = "hub" in request ? request.hub : request.name;
    this.error = undefined;
    this.loading = { name, received: 0, total: 0 };
    this.changed();
    try {
      this.model = await this.client.load(request, (progress) => {
        this.loading = { name, ...progress };
        this.changed();
      });
      for (const photo of this.photos) delete photo.answer;
      this.loading = undefined;
      this.changed();
      await Promise.all(this.photos.map((photo) => this.#ask(photo)));
    } catch (error) {
      this.error = (error as Error).message;
    } finally {
      this.loading = undefined;
      this.changed();
    }
  }

  /** Adds photos and asks the model what is on them. */
  async add(files: readonly (Blob & { name?: string })[]): Promise<void> {
    const added = files.map((file): Photo => ({
      id: ++this.#lastId,
      name: file.name ?? "photo",
      file,
      url: URL.createObjectURL(file),
    }));
    if (added.length === 0) return;
    this.photos = [...added, ...this.photos];
    this.selected = added[0];
    this.changed();
    await Promise.all(added.map((photo) => this.#ask(photo)));
  }

  /** Removes a photo from the page. */
  remove(photo: Photo): void {
    URL.revokeObjectURL(photo.url);
    this.photos = this.photos.filter(({ id }) => id !== photo.id);
    if (this.selected === photo) this.selected = this.photos[0];
    this.changed();
  }

  async #ask(photo: Photo): Promise<void> {
    try {
      delete photo.error;
      photo.answer = await this.client.classify({ image: photo.file });
    } catch (error) {
      photo.error = (error as Error).message;
    }
    this.changed();
  }
}
