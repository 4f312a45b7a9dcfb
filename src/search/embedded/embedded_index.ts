import { assertSameModel } from "../check_model.ts";
import { halvesOfBytes } from "../half_bytes.ts";
import { toHexDigits } from "../hex.ts";
import { imageOf } from "../image_row.ts";
import { scanPairs } from "../scan/scan_pairs.ts";
import type { Hit } from "../scan/top_hits.ts";
import { fromStoredVector } from "../stored_vector.ts";
import { unitQueries } from "../unit_queries.ts";
import type {
  ImageFilter,
  IndexCounts,
  IndexedImage,
  IndexedModel,
  IndexWriter,
  Neighbour,
  PairOptions,
  SearchOptions,
  VectorIndex,
} from "../vector_index.ts";
import { EmbeddedWriter } from "./embedded_writer.ts";
import { isFlatFileWhole, removeOldFiles, rewriteFlatFile } from "./flat_vectors.ts";
import { readIndexedModel, readVectorsMeta } from "./index_meta.ts";
import { LoadedVectors } from "./loaded_vectors.ts";
import { openToRead, openToWrite } from "./open_database.ts";
import { addPathFunction } from "./path_function.ts";
import type { Database } from "./sqlite.ts";
import { type LockOptions, WriterLock } from "./writer_lock.ts";

/** Options of {@linkcode EmbeddedIndex.open}. */
export interface EmbeddedIndexOptions extends LockOptions {
  /** What makes the queries; another model than the index's is refused. Default: no check. */
  readonly model?: IndexedModel | undefined;
  /** Called with a sentence if the flat file of vectors is missing or damaged. */
  readonly onDamage?: ((message: string) => void) | undefined;
}

/**
 * An index in one SQLite file, with the vectors in a flat float16 file beside it that every search compares
 * with its queries, all of them, so that it finds the true neighbours. It needs no server. It runs in Deno
 * and Node.js, which have `node:sqlite`. One process at a time writes; others can search meanwhile.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EmbeddedIndex } from "./embedded_index.ts";
 *
 * const path = `${Deno.makeTempDirSync({ dir: "test" })}/photos.sqlite`;
 * const model = { sha256: "00", name: "mine", pool: "cls", decode: "standard", dimension: 2 };
 * {
 *   await using index = await EmbeddedIndex.create(path, model);
 *   await using writer = await index.write();
 *   await writer.put("photos", [
 *     { path: "a.jpg", size: 9, sha256: "aa", vector: Float32Array.of(1, 0) },
 *     { path: "b.jpg", size: 9, sha256: "bb", vector: Float32Array.of(3, 4) },
 *   ]);
 *   await writer.finish();
 * }
 * await using index = await EmbeddedIndex.open(path);
 * const [neighbours] = await index.search([Float32Array.of(0, 2)], { k: 1 });
 * assertEquals(neighbours?.map(({ path }) => path), ["b.jpg"]);
 * Deno.removeSync(path.replace("/photos.sqlite", ""), { recursive: true });
 * ```
 */
export class EmbeddedIndex implements VectorIndex {
  readonly model: IndexedModel;
  readonly #path: string;
  readonly #db: Database;
  readonly #lock: WriterLock | undefined;
  readonly #vectors: LoadedVectors;

  private constructor(
    path: string,
    db: Database,
    { onDamage = () => {} }: Pick<EmbeddedIndexOptions, "onDamage">,
    lock?: WriterLock,
  ) {
    this.#path = path;
    this.#db = db;
    this.#lock = lock;
    this.model = readIndexedModel(db);
    addPathFunction(db);
    this.#vectors = new LoadedVectors(path, this.model.dimension, onDamage);
  }

  /**
   * Opens an index to search it.
   *
   * @throws {Error} if there is none, another program or a newer version made it, or `model` is another one.
   */
  // deno-lint-ignore require-await -- errors reject,
  static async open(path: string, options: EmbeddedIndexOptions = {}): Promise<EmbeddedIndex> {
    const index = new EmbeddedIndex(path, openToRead(path), options);
    return index.#checked(options.model);
  }

  /**
   * Opens an index to write to it, and makes it if there is none. Waits while another process writes to it. A
   * damaged flat file is written anew.
   *
   * @throws {Error} as {@linkcode EmbeddedIndex.open}.
   */
  static async create(
    path: string,
    model: IndexedModel,
    options: Omit<EmbeddedIndexOptions, "model"> = {},
  ): Promise<EmbeddedIndex> {
    const { onDamage = () => {} } = options;
    const lock = await WriterLock.take(path, options);
    try {
      const db = openToWrite(path, model);
      const index = new EmbeddedIndex(path, db, options, lock).#checked(model);
      const { dimension } = index.model;
      removeOldFiles(path, readVectorsMeta(db).generation);
      if (!isFlatFileWhole(path, dimension, readVectorsMeta(db))) {
        onDamage(`the vectors' file of ${path} is missing or damaged: it is written anew`);
        rewriteFlatFile(path, dimension, db);
      }
      return index;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  assertModel(model: IndexedModel): void {
    assertSameModel({ name: this.#path, model: this.model, sources: this.#sourceNames() }, model);
  }

  #checked(model: IndexedModel | undefined): this {
    try {
      if (model) this.assertModel(model);
      return this;
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  counts(): Promise<IndexCounts> {
    const count = (what: string) =>
      Number(this.#db.prepare(`select count(*) as count from ${what}`).get()!.count);
    return Promise.resolve({
      images: count("(select distinct path from image)"),
      vectors: count("vector"),
    });
  }

  sources(): Promise<string[]> {
    return Promise.resolve(this.#sourceNames());
  }

  #sourceNames(): string[] {
    const rows = this.#db.prepare("select name from source order by name").all();
    return rows.map(({ name }) => name as string);
  }

  // deno-lint-ignore require-await -- errors reject
  async search(
    queries: readonly Float32Array[],
    { k, where = {} }: SearchOptions,
  ): Promise<Neighbour[][]> {
    const units = unitQueries(queries, k, this.model.dimension);
    return this.#inSnapshot(() => {
      const { scan } = this.#vectors;
      const isAllowed = this.#allowed(where);
      const results: (Neighbour[] | undefined)[] = units.map(() => undefined);
      // A path of two sources may have two vectors, so that there may be fewer paths than hits.
      for (let limit = k;; limit *= 2) {
        const open = units.flatMap((_, q) => results[q] ? [] : [q]);
        if (open.length === 0) return results as Neighbour[][];
        const found = scan.nearest(open.map((q) => units[q]!), limit, isAllowed);
        open.forEach((q, i) => {
          const neighbours = this.#neighbours(found[i]!, where);
          if (neighbours.length < k && found[i]!.length === limit) return;
          results[q] = neighbours.slice(0, k);
        });
      }
    });
  }

  vectors(paths: readonly string[]): Promise<(Float32Array | undefined)[]> {
    const find = this.#db.prepare(
      "select data from vector where id = " +
        "(select vector from image where path = ? order by source limit 1)",
    );
    return Promise.resolve(paths.map((path) => {
      const data = find.get(path)?.data;
      return data === undefined ? undefined : fromStoredVector(halvesOfBytes(data as Uint8Array));
    }));
  }

  // deno-lint-ignore require-await -- errors reject
  async pairs(threshold: number, options: PairOptions): Promise<Neighbour[][]> {
    return this.#inSnapshot(() => {
      const slots = this.#db.prepare("select slot from vector order by slot").all()
        .map(({ slot }) => slot as number);
      scanPairs(this.#vectors.scan, slots, threshold, options);
      return slots.map((slot) => this.#neighbours([{ slot, similarity: 1 }], {}));
    });
  }

  async *images(): AsyncGenerator<IndexedImage> {
    // Sorted without the vectors, which would have to be written and read again.
    const rows = this.#db.prepare(
      "select path, label, size, container, start, vector from image order by path, source",
    ).iterate();
    const find = this.#db.prepare("select sha256, data from vector where id = ?");
    let last: unknown;
    for (const { vector, ...row } of rows) {
      if (row.path === last) continue;
      last = row.path;
      const { sha256, data } = find.get(vector as number) as Record<string, Uint8Array>;
      yield { ...imageOf(row), sha256: toHexDigits(sha256!), vector: halvesOfBytes(data!) };
    }
  }

  write(): Promise<IndexWriter> {
    if (!this.#lock) throw new Error(`Cannot write to ${this.#path}: it was opened for reading`);
    return Promise.resolve(new EmbeddedWriter(this.#path, this.model.dimension, this.#db));
  }

  /** Closes the files and lets others write. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#db.close();
    this.#lock?.[Symbol.dispose]();
    return Promise.resolve();
  }

  /** Runs a function that sees one state of the database, with its vectors loaded. */
  #inSnapshot<T>(run: () => T): T {
    this.#db.exec("begin");
    try {
      this.#vectors.update(this.#db);
      return run();
    } finally {
      this.#db.exec("commit");
    }
  }

  /** By slot, 1 for those with an image that matches; undefined for all. */
  #allowed(where: ImageFilter): Uint8Array | undefined {
    const { scan, isLive } = this.#vectors;
    const { sql, values } = conditionOf(where);
    if (sql === "") return isLive;
    const allowed = new Uint8Array(scan.count);
    const rows = this.#db.prepare(
      `select slot from vector where id in (select vector from image where true${sql})`,
    ).iterate(...values);
    for (const { slot } of rows) allowed[slot as number] = 1;
    return allowed;
  }

  /** The images of hits, those that match, in the order of the hits and, of a content, of their paths. */
  #neighbours(hits: readonly Hit[], where: ImageFilter): Neighbour[] {
    const { sql, values } = conditionOf(where);
    const find = this.#db.prepare(
      "select path, label, size, container, start from image " +
        `where vector = (select id from vector where slot = ?)${sql} order by path, source`,
    );
    const found = new Map<unknown, Neighbour>();
    for (const { slot, similarity } of hits) {
      for (const row of find.all(slot, ...values)) {
        if (found.has(row.path)) continue;
        // Rounding to float16 makes lengths differ from 1 a little.
        const cosine = Math.max(-1, Math.min(1, similarity));
        found.set(row.path, { ...imageOf(row), similarity: cosine });
      }
    }
    return [...found.values()];
  }
}

/** A filter as SQL that follows other conditions, and its parameters. */
function conditionOf({ label, path }: ImageFilter): { sql: string; values: string[] } {
  const labels = listOf(label);
  const paths = listOf(path);
  return {
    sql: (labels ? ` and label in (${labels.map(() => "?").join()})` : "") +
      (paths ? " and matches_any(path, ?)" : ""),
    values: [...labels ?? [], ...paths ? [JSON.stringify(paths)] : []],
  };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === "string" ? [value] : value;
}
