import type { ProjectContent } from "../store/project_zip.ts";
import type { ProjectStore } from "../store/project_store.ts";
import type { ClassRecord, PhotoImage, PhotoRecord } from "../store/records.ts";

/** A photo to add to a project. */
export type NewPhoto = Omit<PhotoRecord, "classId" | "time" | "deleted"> & Omit<PhotoImage, "hash">;

/** The label that the classifier gives to photos of no class. */
const RESERVED = "unknown";
/** As long as a label on a phone can be. */
const MAX_NAME = 80;

/**
 * The classes and photos that a visitor teaches. All is in memory but the images; each change is written to the
 * store before it is seen.
 */
export class Project {
  readonly #store: ProjectStore;
  readonly #classes: Map<string, ClassRecord>;
  readonly #photos: Map<string, PhotoRecord>;
  /** The photos that are there, as long as nothing changes. */
  #present: readonly PhotoRecord[] | undefined;
  #version = 0;

  private constructor(
    store: ProjectStore,
    classes: readonly ClassRecord[],
    photos: readonly PhotoRecord[],
  ) {
    this.#store = store;
    this.#classes = new Map(classes.map((record) => [record.id, record]));
    this.#photos = new Map(photos.map((record) => [record.hash, record]));
  }

  /** Opens what is in the store, and removes what was deleted before. */
  static async open(store: ProjectStore): Promise<Project> {
    const { classes, photos } = await store.readAll();
    const kept = new Set(classes.filter(({ deleted }) => !deleted).map(({ id }) => id));
    const isKept = ({ deleted, classId }: PhotoRecord) => !deleted && kept.has(classId);
    const gone = {
      classes: classes.filter(({ id }) => !kept.has(id)).map(({ id }) => id),
      photos: photos.filter((photo) => !isKept(photo)).map(({ hash }) => hash),
    };
    if (gone.classes.length + gone.photos.length > 0) await store.remove(gone);
    return new Project(
      store,
      classes.filter(({ id }) => kept.has(id)).sort((a, b) => a.time - b.time),
      photos.filter(isKept).sort((a, b) => a.time - b.time),
    );
  }

  /** The classes, oldest first. */
  get classes(): ClassRecord[] {
    return [...this.#classes.values()].filter(({ deleted }) => !deleted);
  }

  /** The photos of all classes, in the order in which they were added. */
  get photos(): readonly PhotoRecord[] {
    return this.#present ??= [...this.#photos.values()].filter((photo) => this.#isThere(photo));
  }

  /** Another number after each change. */
  get version(): number {
    return this.#version;
  }

  /** The photos of each class, by its id. */
  get members(): ReadonlyMap<string, readonly PhotoRecord[]> {
    const members = new Map<string, PhotoRecord[]>(this.classes.map(({ id }) => [id, []]));
    for (const photo of this.photos) members.get(photo.classId)?.push(photo);
    return members;
  }

  /** A photo by its hash, unless it is deleted. */
  photo(hash: string): PhotoRecord | undefined {
    const photo = this.#photos.get(hash);
    return photo && this.#isThere(photo) ? photo : undefined;
  }

  /** The name of a class, whether it is deleted or not. */
  className(id: string): string {
    return this.#classes.get(id)?.name ?? "";
  }

  /** Reads images, in the order of the hashes. */
  images(hashes: readonly string[]): Promise<(PhotoImage | undefined)[]> {
    return this.#store.readImages(hashes);
  }

  /** @throws {RangeError} if the name is empty, too long, taken or `unknown`. */
  async addClass(name: string): Promise<ClassRecord> {
    const record = { id: crypto.randomUUID(), name: this.#freeName(name), time: Date.now() };
    await this.#writeClass(record);
    return record;
  }

  /** @throws {RangeError} as {@linkcode addClass}. */
  async renameClass(id: string, name: string): Promise<void> {
    const record = this.#classes.get(id)!;
    if (name.trim() === record.name) return;
    await this.#writeClass({ ...record, name: this.#freeName(name) });
  }

  /** Deletes a class with its photos; {@linkcode restoreClass} undoes it. */
  async deleteClass(id: string): Promise<void> {
    await this.#writeClass({ ...this.#classes.get(id)!, deleted: true });
  }

  /** @throws {RangeError} if another class got its name meanwhile. */
  async restoreClass(id: string): Promise<void> {
    const { deleted: _, ...record } = this.#classes.get(id)!;
    this.#freeName(record.name);
    await this.#writeClass(record);
  }

  /**
   * Adds photos to a class, all or none. A photo that is in the project already stays where it is.
   *
   * @returns those that were there already.
   * @throws {Error} if the browser has no room for them.
   */
  async addPhotos(classId: string, photos: readonly NewPhoto[]): Promise<PhotoRecord[]> {
    const already = new Map<string, PhotoRecord>();
    const fresh = new Map<string, NewPhoto>();
    for (const photo of photos) {
      const known = this.photo(photo.hash);
      if (known) already.set(photo.hash, known);
      else fresh.set(photo.hash, photo);
    }
    // One after the other, so that they stand in this order when the project is opened again.
    let time = Math.max(Date.now(), (this.photos.at(-1)?.time ?? 0) + 1);
    await this.#writePhotos(
      [...fresh.values()].map(({ hash, name, model, embedding }) => ({
        hash,
        name,
        classId,
        time: time++,
        model,
        embedding,
      })),
      [...fresh.values()].map(({ hash, thumbnail, width, height, pixels }) => ({
        hash,
        thumbnail,
        width,
        height,
        pixels,
      })),
    );
    return [...already.values()];
  }

  /** Moves photos to a class. */
  async movePhotos(hashes: readonly string[], classId: string): Promise<void> {
    await this.#writePhotos(hashes.map((hash) => ({ ...this.#photos.get(hash)!, classId })));
  }

  /** Deletes photos; {@linkcode restorePhotos} undoes it. */
  async deletePhotos(hashes: readonly string[]): Promise<void> {
    await this.#writePhotos(hashes.map((hash) => ({ ...this.#photos.get(hash)!, deleted: true })));
  }

  /** Restores photos that were deleted since the project was opened. */
  async restorePhotos(hashes: readonly string[]): Promise<void> {
    await this.#writePhotos(hashes.map((hash) => {
      const { deleted: _, ...photo } = this.#photos.get(hash)!;
      return photo;
    }));
  }

  /** Replaces the embeddings of photos, after another model computed them. */
  async replaceEmbeddings(
    embeddings: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
    model: string,
  ): Promise<void> {
    await this.#writePhotos(
      [...embeddings].map(([hash, embedding]) => ({
        ...this.#photos.get(hash)!,
        embedding,
        model,
      })),
    );
  }

  /**
   * Adds another project to this one, all or nothing: photos of a class go to the class of that name.
   *
   * @returns how many photos are new.
   */
  async merge({ classes, photos, images }: ProjectContent): Promise<number> {
    const own = new Map(this.classes.map((record) => [record.name, record]));
    const ids = new Map<string, string>();
    const added: ClassRecord[] = [];
    for (const { id, name, time } of classes) {
      const same = own.get(name);
      const record = same ?? { id: crypto.randomUUID(), name: this.#freeName(name), time };
      if (!same) added.push(record);
      ids.set(id, record.id);
    }
    const isNew = photos.map(({ hash }) => !this.photo(hash));
    const records = photos.filter((_, i) => isNew[i]).map((photo) => ({
      ...photo,
      classId: ids.get(photo.classId)!,
    }));
    const kept = images.filter((_, i) => isNew[i]);
    await this.#store.write({ classes: added, photos: records, images: kept });
    for (const record of added) this.#classes.set(record.id, record);
    for (const record of records) this.#put(record);
    this.#changed();
    return records.length;
  }

  #isThere({ deleted, classId }: PhotoRecord): boolean {
    return !deleted && this.#classes.get(classId)?.deleted !== true;
  }

  #freeName(text: string): string {
    const name = text.trim();
    const refuse = (why: string) => new RangeError(`Cannot name a class "${name}": ${why}`);
    if (name === "") throw new RangeError("Cannot name a class: the name is empty; type one");
    if (name.length > MAX_NAME) throw refuse(`it has more than ${MAX_NAME} characters`);
    if (name.toLowerCase() === RESERVED) throw refuse("photos of no class are called so");
    if (this.classes.some((record) => record.name === name)) throw refuse("there is one already");
    return name;
  }

  async #writeClass(record: ClassRecord): Promise<void> {
    await this.#store.write({ classes: [record] });
    this.#classes.set(record.id, record);
    this.#changed();
  }

  async #writePhotos(
    photos: readonly PhotoRecord[],
    images: readonly PhotoImage[] = [],
  ): Promise<void> {
    if (photos.length === 0) return;
    await this.#store.write({ photos, images });
    for (const photo of photos) this.#put(photo);
    this.#changed();
  }

  #changed(): void {
    this.#version++;
    this.#present = undefined;
  }

  /** A photo that comes again after its deletion is the newest. */
  #put(photo: PhotoRecord): void {
    if (this.#photos.get(photo.hash)?.time !== photo.time) this.#photos.delete(photo.hash);
    this.#photos.set(photo.hash, photo);
  }
}
