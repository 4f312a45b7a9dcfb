import { bytesOfHalves } from "../half_bytes.ts";
import { fromHex } from "../hex.ts";
import { rowBytes, VectorScan } from "../scan/vector_scan.ts";
import { toStoredVector } from "../stored_vector.ts";
import type { Forgotten, IndexWriter, ListedImage, ReadImage } from "../vector_index.ts";
import { flatFileOf, rewriteFlatFile } from "./flat_vectors.ts";
import { nextRun, readVectorsMeta, writeVectorsMeta } from "./index_meta.ts";
import { type Database, inTransaction } from "./sqlite.ts";
import { VectorFile } from "./vector_file.ts";

/** The part of dead slots above which the flat file is written anew. */
const MAX_DEAD = 0.25;

/** Writes to an embedded index. Only one is open at a time, in all processes. */
export class EmbeddedWriter implements IndexWriter {
  readonly #path: string;
  readonly #dimension: number;
  readonly #db: Database;
  readonly #run: number;
  /** Pads rows and computes their checksums; one for all batches, as an instance is freed late. */
  readonly #scan: VectorScan;

  constructor(path: string, dimension: number, db: Database) {
    this.#path = path;
    this.#dimension = dimension;
    this.#db = db;
    this.#scan = new VectorScan(dimension);
    this.#run = inTransaction(db, () => nextRun(db));
  }

  list(source: string, images: readonly ListedImage[]): Promise<boolean[]> {
    const db = this.#db;
    const changed = inTransaction(db, () => {
      const id = this.#sourceId(source);
      const find = db.prepare(
        "select size, modified, container, start from image where source = ? and path = ?",
      );
      const keep = db.prepare("update image set seen = ?, label = ? where source = ? and path = ?");
      return images.map(({ path, label, size, modified, range }) => {
        const row = find.get(id, path);
        const isSame = row !== undefined && modified !== undefined && row.modified === modified &&
          row.size === size && row.container === (range?.file ?? null) &&
          row.start === (range?.offset ?? null);
        if (isSame) keep.run(this.#run, label ?? null, id, path);
        return !isSame;
      });
    });
    return Promise.resolve(changed);
  }

  has(sha256: string): Promise<boolean> {
    const row = this.#db.prepare("select 1 from vector where sha256 = ?").get(fromHex(sha256));
    return Promise.resolve(row !== undefined);
  }

  put(source: string, images: readonly ReadImage[]): Promise<void> {
    if (images.length === 0) return Promise.resolve(); // all of a batch failed
    const db = this.#db;
    inTransaction(db, () => {
      const id = this.#sourceId(source);
      const old = readVectorsMeta(db);
      const find = db.prepare("select id from vector where sha256 = ?");
      const insert = db.prepare("insert into vector (sha256, slot, data) values (?, ?, ?)");
      const upsert = db.prepare(
        "insert or replace into image (source, path, vector, label, size, modified, container, start, seen) " +
          "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      );
      const added: Uint16Array[] = [];
      for (const { path, label, size, modified, range, sha256, vector } of images) {
        const key = fromHex(sha256);
        let vectorId = find.get(key)?.id;
        if (vectorId === undefined) {
          if (!vector) {
            throw new Error(`Cannot index ${path}: neither it nor the index has its vector`);
          }
          const stored = toStoredVector(vector, this.#dimension);
          const slot = old.slots + added.length;
          vectorId = insert.run(key, slot, bytesOfHalves(stored)).lastInsertRowid;
          added.push(stored);
        }
        upsert.run(
          id,
          path,
          vectorId as number,
          label ?? null,
          size,
          modified ?? null,
          range?.file ?? null,
          range?.offset ?? null,
          this.#run,
        );
      }
      const checksum = this.#append(added, old);
      writeVectorsMeta(db, { ...old, slots: old.slots + added.length, checksum });
    });
    return Promise.resolve();
  }

  complete(source: string): Promise<Forgotten> {
    const db = this.#db;
    const images = inTransaction(db, () => {
      const id = this.#sourceId(source);
      const { changes } = db.prepare("delete from image where source = ? and seen <> ?")
        .run(id, this.#run);
      if (changes > 0) writeVectorsMeta(db, readVectorsMeta(db));
      return Number(changes);
    });
    return Promise.resolve({ images });
  }

  finish(): Promise<void> {
    const db = this.#db;
    const orphans = "from vector where id not in (select vector from image)";
    inTransaction(db, () => {
      const { changes } = db.prepare(`insert into dead_slot (slot) select slot ${orphans}`).run();
      if (Number(changes) === 0) return;
      db.exec(`delete ${orphans}`);
      writeVectorsMeta(db, readVectorsMeta(db));
    });
    const { slots } = readVectorsMeta(db);
    const dead = Number(db.prepare("select count(*) as count from dead_slot").get()!.count);
    if (dead > MAX_DEAD * slots) rewriteFlatFile(this.#path, this.#dimension, db);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(); // every call has written all that it was given
  }

  #sourceId(name: string): number {
    const db = this.#db;
    db.prepare("insert into source (name) values (?) on conflict (name) do nothing").run(name);
    return db.prepare("select id from source where name = ?").get(name)!.id as number;
  }

  /**
   * Writes rows behind those that the database names. They are on the disk before it names them.
   *
   * @returns the checksum of all.
   */
  #append(
    rows: readonly Uint16Array[],
    { generation, slots, checksum }: ReturnType<typeof readVectorsMeta>,
  ): number {
    if (rows.length === 0) return checksum;
    const size = rowBytes(this.#dimension);
    const scan = this.#scan;
    scan.reserve(rows.length);
    const halves = scan.rows(0, rows.length).fill(0);
    rows.forEach((row, r) => halves.set(row, r * size / 2));
    using file = VectorFile.open(flatFileOf(this.#path, generation), "write")!;
    file.write(bytesOfHalves(halves), slots * size);
    file.sync();
    return checksum + scan.checksum(0, rows.length, slots) >>> 0;
  }
}
