import { toStoredVector } from "../stored_vector.ts";
import type {
  Forgotten,
  IndexWriter,
  ListedImage,
  PutOptions,
  ReadImage,
} from "../vector_index.ts";
import { buildVectorIndex } from "./build_vector_index.ts";
import type { IndexSchema } from "./index_schema.ts";
import { postgresError } from "./postgres_error.ts";
import { retried } from "./retried.ts";
import type { SqlClient } from "./sql_client.ts";
import { halvesToText } from "./vector_text.ts";

/** Images of a statement. */
const CHUNK = 5000;

/** Options of {@linkcode PostgresWriter.put}. Of a failed image, the index keeps why, and no vector. */
export interface PostgresPutOptions extends PutOptions {
  /** Runs in the transaction, such as what completes a job. It runs again if the transaction must. */
  readonly also?: ((client: SqlClient) => Promise<void>) | undefined;
}

/** The index has no vector of an image that was put without one: its content was forgotten meanwhile. Read it anew. */
export class MissingVectorError extends Error {
  /** Tells it from other errors. */
  override readonly name = "MissingVectorError";

  /** Names the image. */
  constructor(path: string) {
    super(
      `Cannot index ${path}: neither it nor the index has its vector; run the same command again`,
    );
  }
}

/** What a writer writes to. */
export interface WriterTarget {
  /** Its driver. */
  readonly client: SqlClient;
  /** Where its tables are. */
  readonly schema: IndexSchema;
  /** The numbers of a vector. */
  readonly dimension: number;
  /** As messages call the index. */
  readonly name: string;
  /** The number of the run that lists: images that were last seen by a lower one are forgotten. */
  readonly run: number;
}

/**
 * Writes to an index in Postgres. Any number can write at a time, from any number of machines: each call is a
 * transaction, and is run again if a connection breaks.
 */
export class PostgresWriter implements IndexWriter {
  readonly #target: WriterTarget;
  readonly #sources = new Map<string, number>();

  /** {@linkcode PostgresIndex.write} makes one. */
  constructor(target: WriterTarget) {
    this.#target = target;
  }

  async list(source: string, images: readonly ListedImage[]): Promise<boolean[]> {
    const { schema } = this.#target;
    const id = await this.#sourceId(source);
    const changed = images.map(() => true);
    for (let from = 0; from < images.length; from += CHUNK) {
      const columns = columnsOf(images.slice(from, from + CHUNK));
      const rows = await this.#write((client) =>
        client.query(
          `with listed as (
            select path, label, size::bigint, modified::float8, container, start::bigint, n
            from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
              with ordinality as listed (path, label, size, modified, container, start, n)
          ), same as (
            select listed.n, listed.path, listed.label
            from listed join ${schema.table("image")} image using (path)
            where image.source = $1::bigint and image.error is null and image.sha256 is not null
              and image.modified = listed.modified and image.size = listed.size
              and image.container is not distinct from listed.container
              and image.start is not distinct from listed.start
          ), kept as (
            update ${schema.table("image")} image
            set seen = greatest(image.seen, $2::bigint), label = same.label
            from (select distinct on (path) path, label from same order by path, n desc) same
            where image.source = $1::bigint and image.path = same.path
              and (image.seen < $2::bigint or image.label is distinct from same.label)
          )
          select n from same`,
          [String(id), String(this.#target.run), ...columns],
        )
      );
      for (const { n } of rows) changed[from + Number(n) - 1] = false;
    }
    return changed;
  }

  /**
   * Says that a source still has images although they have changed, so that {@linkcode complete} does not forget
   * them before somebody puts them.
   */
  async keep(source: string, paths: readonly string[]): Promise<void> {
    const id = await this.#sourceId(source);
    for (let from = 0; from < paths.length; from += CHUNK) {
      const chunk = paths.slice(from, from + CHUNK).map((path) => storable(path, path));
      await this.#write((client) =>
        client.query(
          `update ${this.#target.schema.table("image")} set seen = $2::bigint
          where source = $1::bigint and path = any($3::text[]) and seen < $2::bigint`,
          [String(id), String(this.#target.run), chunk],
        )
      );
    }
  }

  async has(sha256: string): Promise<boolean> {
    const rows = await this.#write((client) =>
      client.query(
        `select 1 as one from ${
          this.#target.schema.table("embedding")
        } where sha256 = decode($1, 'hex')`,
        [sha256],
      )
    );
    return rows.length > 0;
  }

  /**
   * Writes images of a source, in one transaction.
   *
   * @throws {MissingVectorError} if an image has no vector, and the index has none of its bytes.
   */
  async put(
    source: string,
    images: readonly ReadImage[],
    { failed = [], also }: PostgresPutOptions = {},
  ): Promise<void> {
    const vectors = this.#vectorsOf(images);
    const outcomes = lastOfEachPath([
      ...images.map((image) => ({ ...image, error: undefined })),
      ...failed.map((image) => ({ ...image, sha256: undefined })),
    ]);
    const columns = [
      ...columnsOf(outcomes),
      outcomes.map(({ sha256 }) => sha256 ?? null),
      // A message may quote anything.
      outcomes.map(({ error }) => error?.replaceAll("\0", "\u{fffd}") ?? null),
    ];
    const id = await this.#sourceId(source);
    const { schema } = this.#target;
    await this.#write((client) =>
      client.transaction(async (client) => {
        if (vectors.length > 0) {
          await client.query(
            `insert into ${schema.table("embedding")} (sha256, vector)
            select decode(sha256, 'hex'), vector::${schema.type("halfvec")}
            from unnest($1::text[], $2::text[]) as given (sha256, vector) order by sha256
            on conflict (sha256) do nothing`,
            [vectors.map(([key]) => key), vectors.map(([, text]) => text)],
          );
        }
        await this.#assertVectors(client, outcomes);
        await client.query(
          `insert into ${schema.table("image")} as image
            (source, seen, path, label, size, modified, container, start, sha256, error)
          select $1::bigint, $2::bigint, path, label, size::bigint, modified::float8, container,
            start::bigint, decode(sha256, 'hex'), error
          from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[]) as given (path, label, size, modified, container, start, sha256, error)
          order by path collate "C"
          on conflict (path, source) do update set
            seen = greatest(image.seen, excluded.seen), label = excluded.label, size = excluded.size,
            modified = excluded.modified, container = excluded.container, start = excluded.start,
            sha256 = excluded.sha256, error = excluded.error`,
          [String(id), String(this.#target.run), ...columns],
        );
        await also?.(client);
      })
    );
  }

  async complete(source: string): Promise<Forgotten> {
    const id = await this.#sourceId(source);
    // Those that failed go, too, but are not counted: they were no images of the index.
    const [row] = await this.#write((client) =>
      client.query(
        `with gone as (
          delete from ${this.#target.schema.table("image")}
          where source = $1::bigint and seen < $2::bigint returning sha256
        ) select count(sha256) as count from gone`,
        [String(id), String(this.#target.run)],
      )
    );
    return { images: Number(row!.count) };
  }

  /**
   * Forgets vectors without an image and, from 10,000 vectors on, builds the index of vectors if there is none yet;
   * others can write meanwhile.
   */
  async finish(): Promise<void> {
    const { schema, dimension } = this.#target;
    await this.#write((client) =>
      client.query(
        `delete from ${schema.table("embedding")} embedding where not exists
          (select 1 from ${schema.table("image")} image where image.sha256 = embedding.sha256)`,
        [],
      )
    );
    await this.#write((client) => client.query(`analyze ${schema.table("image")}`));
    await this.#write((client) => buildVectorIndex(client, schema, dimension));
  }

  /** Every call has written all that it was given; the index closes the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #write<T>(run: (client: SqlClient) => Promise<T>): Promise<T> {
    const { client, name } = this.#target;
    try {
      return await retried(() => run(client));
    } catch (error) {
      if (error instanceof MissingVectorError) throw error;
      throw postgresError(`write to the index ${name}`, error);
    }
  }

  async #sourceId(source: string): Promise<number> {
    const known = this.#sources.get(source);
    if (known !== undefined) return known;
    const table = this.#target.schema.table("source");
    const values = [storable(source, source)];
    const id = await this.#write(async (client) => {
      await client.query(`insert into ${table} (name) values ($1) on conflict do nothing`, values);
      const [row] = await client.query(`select id from ${table} where name = $1`, values);
      return Number(row!.id);
    });
    this.#sources.set(source, id);
    return id;
  }

  /** The vectors of contents as SQL reads them, each content once. */
  #vectorsOf(images: readonly ReadImage[]): [sha256: string, text: string][] {
    const vectors = new Map<string, string>();
    for (const { sha256, vector } of images) {
      if (!vector || vectors.has(sha256)) continue;
      vectors.set(sha256, halvesToText(toStoredVector(vector, this.#target.dimension)));
    }
    return [...vectors];
  }

  async #assertVectors(
    client: SqlClient,
    images: readonly { path: string; sha256?: string | undefined }[],
  ): Promise<void> {
    const pathOf = new Map<string, string>();
    for (const { path, sha256 } of images) if (sha256 !== undefined) pathOf.set(sha256, path);
    const [missing] = await client.query(
      `select sha256 from unnest($1::text[]) as wanted (sha256) where not exists
        (select 1 from ${this.#target.schema.table("embedding")} embedding
          where embedding.sha256 = decode(wanted.sha256, 'hex')) limit 1`,
      [[...pathOf.keys()]],
    );
    if (missing) throw new MissingVectorError(pathOf.get(missing.sha256 as string)!);
  }
}

/** The columns of listed images, as arrays of text: every driver can send these. */
function columnsOf(images: readonly ListedImage[]): (string | null)[][] {
  const text = (value: number | undefined) => value === undefined ? null : String(value);
  return [
    images.map(({ path }) => storable(path, path)),
    images.map(({ path, label }) => label === undefined ? null : storable(label, path)),
    images.map(({ size }) => text(size)),
    images.map(({ modified }) => text(modified)),
    images.map(({ path, range }) => range ? storable(range.file, path) : null),
    images.map(({ range }) => text(range?.offset)),
  ];
}

/** A statement cannot write a row twice: the last one counts. */
function lastOfEachPath<T extends ListedImage>(images: readonly T[]): T[] {
  return [...new Map(images.map((image) => [image.path, image])).values()];
}

/** @throws {RangeError} if a text of an image is one that Postgres has no way to store. */
function storable(text: string, path: string): string {
  if (!text.includes("\0")) return text;
  throw new RangeError(
    `Cannot index ${
      JSON.stringify(path)
    }: a name has a NUL character, which Postgres cannot store; rename it`,
  );
}
