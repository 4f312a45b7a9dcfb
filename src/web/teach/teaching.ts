/// <reference lib="dom" />
import type { Classification } from "../../mod.ts";
import type { App } from "../app.ts";
import type { ModelSummary } from "../messages.ts";
import { IndexedDbStore } from "../store/indexed_db_store.ts";
import { MemoryStore } from "../store/memory_store.ts";
import type { ProjectStore } from "../store/project_store.ts";
import type { ClassRecord, PhotoImage, PhotoRecord } from "../store/records.ts";
import type { TeachReport } from "./fit_report.ts";
import { type NewPhoto, Project } from "./project.ts";
import { Thumbnails } from "./thumbnails.ts";
import { Webcam } from "./webcam.ts";
import { type Missing, whatIsMissing } from "./what_is_missing.ts";

const DATABASE = "vit-msn-edge";
/** Photos that are written, read or computed at a time: between parts, the page answers. */
const PART = 50;
/** Milliseconds between frames while a button is held. */
const FRAME_INTERVAL = 125;
/** Frames that may wait for the model; more are left out. */
const MAX_WAITING = 4;
/** Milliseconds between two predictions of what the camera sees. */
const PREDICTION_INTERVAL = 100;
/** Files that a notice names because they cannot be read. */
const MAX_FAILED = 3;
/** Milliseconds between two drawings of how far long work is. */
const PROGRESS_INTERVAL = 400;
/** A project of so many photos is fitted in a second or two, so it is fitted when it is opened. */
const FITS_AT_ONCE = 500;

/** Milliseconds for which a notice stays, if it is no error: long enough to read it and to undo. */
const NOTICE_TIME = 12_000;

/** Long work, and how far it is; without `total`, nobody knows. */
export interface Work {
  readonly what: string;
  readonly done?: number;
  readonly total?: number;
}

/** What the page says at its foot. */
export interface Notice {
  readonly text: string;
  readonly isError?: boolean;
  readonly undo?: () => Promise<void>;
}

/** What was taught at last. */
export interface Taught {
  readonly report: TeachReport;
  /** The photos that it was fitted on, by their places. */
  readonly hashes: readonly string[];
  /** The project's version then. */
  readonly version: number;
  readonly seconds: number;
}

/** A photo that is in no class, and what the classifier says about it. */
export interface Tried {
  readonly file: File;
  readonly url: string;
  /** Once it has said so. */
  readonly labels?: readonly Classification[];
}

/**
 * The state of Teach and Compare, and what a visitor can do. The file is long because all that a visitor does
 * works on this one state.
 */
export class Teaching {
  static readonly #all = new WeakMap<App, Teaching>();

  readonly app: App;
  readonly thumbnails: Thumbnails;
  /** Once it is opened. */
  project: Project | undefined;
  /** Why the project is not kept when the page is closed. */
  notKept: string | undefined;
  work: Work | undefined;
  notice: Notice | undefined;
  taught: Taught | undefined;
  isFitting = false;
  webcam: Webcam | undefined;
  /** What the camera sees. */
  prediction: readonly Classification[] | undefined;
  /** The photo on which the classifier was tried. */
  tried: Tried | undefined;
  /** The class that is being recorded. */
  recording: string | undefined;
  /** The class that gets what is pasted. */
  currentClass: string | undefined;
  #model: ModelSummary | undefined;
  #modelHash: string | undefined;
  #isOpening = false;
  #isLive = false;
  #nextProgress = 0;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(app: App) {
    this.app = app;
    this.thumbnails = new Thumbnails(() => app.changed());
  }

  /** The one of a page. */
  static of(app: App): Teaching {
    const teaching = Teaching.#all.get(app) ?? new Teaching(app);
    Teaching.#all.set(app, teaching);
    return teaching;
  }

  /** Opens the project of earlier visits, and brings it up to the model that is loaded. */
  async open(): Promise<void> {
    if (!this.project && !this.#isOpening) {
      this.#isOpening = true;
      await this.do(async () => {
        this.project = await Project.open(await this.#store());
      });
      this.#isOpening = false;
    }
    await this.followModel();
  }

  /** Computes embeddings anew after another model was loaded. */
  async followModel(): Promise<void> {
    const { model } = this.app;
    if (!this.project || !model || model === this.#model) return;
    this.#model = model;
    this.#modelHash = undefined;
    this.taught = undefined;
    this.prediction = undefined;
    await this.do(async () => {
      const hash = await this.app.client.request("identify", undefined);
      if (this.#model !== model) return;
      this.#modelHash = hash;
      await this.#refresh(hash);
      const { canFit } = this.missing;
      if (canFit && this.project!.photos.length <= FITS_AT_ONCE) await this.fit();
    });
  }

  /** What the project lacks. */
  get missing(): Missing {
    return whatIsMissing(this.counts);
  }

  /** The classes with their numbers of photos. */
  get counts(): { id: string; name: string; count: number }[] {
    const members = this.project?.members;
    return (this.project?.classes ?? []).map(({ id, name }) => ({
      id,
      name,
      count: members?.get(id)?.length ?? 0,
    }));
  }

  /** Whether photos have changed since the classifier was fitted. */
  get isOutdated(): boolean {
    return this.taught !== undefined && this.taught.version !== this.project?.version;
  }

  /** Does something, and tells the visitor if it fails. */
  async do(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.say({ text: (error as Error).message, isError: true });
    } finally {
      this.app.changed();
    }
  }

  /** Says something at the foot of the page. */
  say(notice: Notice | undefined): void {
    this.notice = notice;
    clearTimeout(this.#noticeTimer);
    if (notice && !notice.isError) {
      this.#noticeTimer = setTimeout(() => this.say(undefined), NOTICE_TIME);
    }
    this.app.changed();
  }

  /** Adds a class with a name that is free. */
  async addClass(name: string): Promise<void> {
    await this.do(async () => {
      const record = await this.project!.addClass(name);
      this.currentClass = record.id;
    });
  }

  async renameClass(id: string, name: string): Promise<void> {
    await this.do(() => this.project!.renameClass(id, name));
  }

  async deleteClass({ id, name }: ClassRecord): Promise<void> {
    await this.do(async () => {
      const count = this.project!.members.get(id)!.length;
      await this.project!.deleteClass(id);
      this.say({
        text: `Deleted “${name}” with ${photosText(count)}.`,
        undo: () => this.project!.restoreClass(id),
      });
    });
  }

  /** Reads image files and adds them to a class. */
  async addFiles(classId: string, files: readonly File[]): Promise<void> {
    this.currentClass = classId;
    const failed: string[] = [];
    const already: PhotoRecord[] = [];
    let waiting: NewPhoto[] = [];
    const write = async () => {
      const photos = waiting;
      waiting = [];
      already.push(...await this.project!.addPhotos(classId, photos));
    };
    await this.do(async () => {
      for (const [done, file] of files.entries()) {
        this.#progress({ what: "Reading photos", done, total: files.length });
        try {
          waiting.push(
            await this.app.client.request("readPhoto", { image: file, name: file.name }),
          );
        } catch (error) {
          failed.push(`${file.name}: ${(error as Error).message}`);
        }
        if (waiting.length >= PART) await write();
      }
      await write();
      const added = files.length - failed.length - already.length;
      this.say({
        text: [
          ...(added > 0
            ? [`Added ${photosText(added)} to “${this.project!.className(classId)}”.`]
            : []),
          ...(already.length > 0 ? [this.#alreadyText(already)] : []),
          ...failed.slice(0, MAX_FAILED),
          ...(failed.length > MAX_FAILED ? [`${failed.length - MAX_FAILED} more failed.`] : []),
        ].join(" "),
        isError: failed.length > 0,
      });
    });
    this.#progress(undefined);
  }

  /** Moves photos to another class; after a correction, the classifier is fitted anew at once. */
  async movePhotos(hashes: readonly string[], classId: string): Promise<void> {
    await this.do(async () => {
      const before = hashes.map((hash) => this.project!.photo(hash)!.classId);
      await this.project!.movePhotos(hashes, classId);
      this.say({
        text: `Moved ${photosText(hashes.length)} to “${this.project!.className(classId)}”.`,
        undo: async () => {
          for (const [i, hash] of hashes.entries()) {
            await this.project!.movePhotos([hash], before[i]!);
          }
          await this.#refit();
        },
      });
      await this.#refit();
    });
  }

  async deletePhotos(hashes: readonly string[]): Promise<void> {
    await this.do(async () => {
      await this.project!.deletePhotos(hashes);
      this.say({
        text: `Deleted ${photosText(hashes.length)}.`,
        undo: async () => {
          await this.project!.restorePhotos(hashes);
          await this.#refit();
        },
      });
      await this.#refit();
    });
  }

  /** Fits a classifier on all photos. */
  async fit(): Promise<void> {
    const project = this.project!;
    if (this.isFitting) return;
    this.isFitting = true;
    this.app.changed();
    const start = performance.now();
    await this.do(async () => {
      await this.#refresh(this.#modelHash!);
      const { version } = project;
      // In an order of their own: the same photos make the same classifier, however they came.
      const photos = project.photos.toSorted((a, b) => a.hash < b.hash ? -1 : 1);
      const vectors = vectorsOf(photos);
      const report = await this.app.client.request("fit", {
        ...vectors,
        labels: photos.map(({ classId }) => project.className(classId)),
        hashes: photos.map(({ hash }) => hash),
      }, { transfer: [vectors.data.buffer] });
      this.taught = {
        report,
        hashes: photos.map(({ hash }) => hash),
        version,
        seconds: (performance.now() - start) / 1000,
      };
    });
    this.isFitting = false;
    this.app.changed();
    void this.#live();
    if (this.tried && this.taught) await this.tryPhoto(this.tried.file);
  }

  /** Names what is on a photo, and again after each fit. */
  async tryPhoto(file: File): Promise<void> {
    if (this.tried?.file !== file) {
      if (this.tried) URL.revokeObjectURL(this.tried.url);
      this.tried = { file, url: URL.createObjectURL(file) };
    }
    const { tried } = this;
    await this.do(async () => {
      const labels = await this.app.client.request("predict", { image: file });
      if (this.tried === tried) this.tried = { ...tried, labels };
    });
  }

  /** Turns the camera on or off. */
  async toggleWebcam(): Promise<void> {
    if (this.webcam) return this.closeWebcam();
    await this.do(async () => {
      this.webcam = await Webcam.open();
    });
    void this.#live();
  }

  closeWebcam(): void {
    this.webcam?.close();
    this.webcam = undefined;
    this.recording = undefined;
    this.prediction = undefined;
    this.app.changed();
  }

  /** Adds what the camera sees to a class, until {@linkcode stopRecording}; at least one frame. */
  async record(classId: string): Promise<void> {
    if (!this.webcam || this.recording) return;
    this.recording = this.currentClass = classId;
    this.app.changed();
    const waiting = new Set<Promise<void>>();
    do {
      const next = performance.now() + FRAME_INTERVAL;
      if (waiting.size < MAX_WAITING) {
        const frame = this.do(() => this.#addFrame(classId)).finally(() => waiting.delete(frame));
        waiting.add(frame);
      }
      await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
    } while (this.recording === classId);
    await Promise.all(waiting);
  }

  stopRecording(): void {
    this.recording = undefined;
    this.app.changed();
    void this.#live();
  }

  /** Gives the visitor a file. */
  async download(name: string, make: () => Promise<Blob>): Promise<void> {
    this.#progress({ what: `Writing ${name}` });
    await this.do(async () => {
      const url = URL.createObjectURL(await make());
      const link = document.createElement("a");
      link.href = url;
      link.download = name;
      link.click();
      // The browser needs the address until it has begun.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    });
    this.#progress(undefined);
  }

  /** The whole project, as a zip file. */
  async exportProject(): Promise<Blob> {
    const { classes, photos } = this.project!;
    const { client } = this.app;
    for (let from = 0; from < photos.length; from += PART) {
      this.#progress({ what: "Reading photos", done: from, total: photos.length });
      const part = photos.slice(from, from + PART);
      const images = await this.project!.images(part.map(({ hash }) => hash));
      const lost = images.findIndex((image) => !image);
      if (lost !== -1) {
        throw new Error(
          `Cannot export: the pixels of ${part[lost]!.name} are gone; delete the photo`,
        );
      }
      await client.request("givePhotos", { from, photos: part, images: images as PhotoImage[] });
    }
    return await client.request("writeProject", classes);
  }

  /** The embeddings, as JSON lines. */
  async exportEmbeddings(): Promise<Blob> {
    const project = this.project!;
    const vectors = vectorsOf(project.photos);
    const files = project.photos.map(({ classId, name }) =>
      `${project.className(classId)}/${name}`
    );
    return await this.app.client.request("writeEmbeddings", { ...vectors, files }, {
      transfer: [vectors.data.buffer],
    });
  }

  /** Adds the project of a zip file to this one. */
  async importProject(file: File): Promise<void> {
    await this.do(async () => {
      this.#progress({ what: `Reading ${file.name}` });
      const { client } = this.app;
      const { classes, photos: total } = await client.request("openProject", file);
      let added = await this.project!.merge({ classes, photos: [], images: [] });
      for (let from = 0; from < total; from += PART) {
        this.#progress({ what: `Reading ${file.name}`, done: from, total });
        const part = await client.request("takePhotos", { from, count: PART });
        added += await this.project!.merge({ classes, ...part });
      }
      const known = total - added;
      this.say({
        text: `Imported ${photosText(added)}.` +
          (known > 0 ? ` ${photosText(known)} of the file were here already.` : ""),
      });
      await this.#refresh(this.#modelHash!);
      if (this.missing.canFit && this.project!.photos.length <= FITS_AT_ONCE) await this.fit();
    });
    this.#progress(undefined);
  }

  async #store(): Promise<ProjectStore> {
    try {
      const store = await IndexedDbStore.open(DATABASE);
      // Without it, the browser may delete the project if the disk gets full.
      void navigator.storage?.persist?.();
      return store;
    } catch {
      this.notKept =
        "This browser keeps nothing for this page, as in a private window: export the " +
        "project before you close it.";
      return new MemoryStore();
    }
  }

  /** Computes embeddings that another model computed before. */
  async #refresh(model: string): Promise<void> {
    const project = this.project!;
    const old = project.photos.filter((photo) => photo.model !== model);
    for (let from = 0; from < old.length; from += PART) {
      this.#progress({
        what: "Looking at the photos with this model",
        done: from,
        total: old.length,
      });
      const hashes = old.slice(from, from + PART).map(({ hash }) => hash);
      const images = (await project.images(hashes)).filter((image) => image !== undefined);
      const embeddings = await this.app.client.request("embedPixels", images);
      await project.replaceEmbeddings(
        new Map(images.map(({ hash }, i) => [hash, embeddings[i]!])),
        model,
      );
    }
    if (old.length > 0) this.#progress(undefined);
  }

  async #refit(): Promise<void> {
    if (this.taught && this.missing.canFit) await this.fit();
  }

  async #addFrame(classId: string): Promise<void> {
    const image = await this.webcam!.frame();
    const name = `webcam ${new Date().toISOString().slice(11, 23).replaceAll(/[:.]/g, "-")}.jpg`;
    const photo = await this.app.client.request("readPhoto", { image, name }, {
      transfer: [image],
    });
    await this.project!.addPhotos(classId, [photo]);
    this.app.changed();
  }

  /** Names what the camera sees, again and again. */
  async #live(): Promise<void> {
    if (this.#isLive) return;
    this.#isLive = true;
    while (this.webcam && this.taught && !this.isFitting && !this.recording) {
      const next = performance.now() + PREDICTION_INTERVAL;
      try {
        const image = await this.webcam.frame();
        const prediction = await this.app.client.request("predict", { image }, {
          transfer: [image],
        });
        this.prediction = this.webcam ? prediction : undefined;
      } catch (error) {
        this.say({ text: (error as Error).message, isError: true });
        break;
      }
      this.app.changed();
      await new Promise((resolve) => setTimeout(resolve, next - performance.now()));
    }
    this.#isLive = false;
  }

  /** Draws the page only a few times a second: to draw thumbnails costs more than to keep photos. */
  #progress(work: Work | undefined): void {
    const now = performance.now();
    const isSame = work !== undefined && work.what === this.work?.what;
    this.work = work;
    if (isSame && now < this.#nextProgress) return;
    this.#nextProgress = now + PROGRESS_INTERVAL;
    this.app.changed();
  }

  #alreadyText(already: readonly PhotoRecord[]): string {
    const names = [
      ...new Set(already.map(({ classId }) => `“${this.project!.className(classId)}”`)),
    ];
    return `${photosText(already.length)} ${already.length === 1 ? "is" : "are"} in ${
      names.join(", ")
    } already.`;
  }
}

/** Such as “1 photo”. */
export function photosText(count: number): string {
  return `${count} photo${count === 1 ? "" : "s"}`;
}

/** All embeddings, one after the other. */
export function vectorsOf(
  photos: readonly { readonly embedding: Float32Array }[],
): { data: Float32Array<ArrayBuffer>; size: number } {
  const size = photos[0]?.embedding.length ?? 0;
  const data = new Float32Array(photos.length * size);
  photos.forEach(({ embedding }, i) => data.set(embedding, i * size));
  return { data, size };
}
