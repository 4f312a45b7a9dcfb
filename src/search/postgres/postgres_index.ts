import { assertSameModel } from "../check_model.ts";
import { imageOf } from "../image_row.ts";
import { scanPairs } from "../scan/scan_pairs.ts";
import { fromStoredVector } from "../stored_vector.ts";
import { unitQueries } from "../unit_queries.ts";
import type {
  IndexCounts,
  IndexedImage,
  IndexedModel,
  Neighbour,
  PairOptions,
  SearchOptions,
  VectorIndex,
} from "../vector_index.ts";
import { hasVectorIndex } from "./build_vector_index.ts";
import { checkServer } from "./check_server.ts";
import { DEFAULT_SCHEMA, type IndexSchema } from "./index_schema.ts";
import { loadVectors } from "./load_vectors.ts";
import { INDEX_VERSION, migrate, readVersion } from "./migrations.ts";
import { graphSettings, nearestImages } from "./nearest_images.ts";
import { postgresError } from "./postgres_error.ts";
import { PostgresWriter } from "./postgres_writer.ts";
import { retried } from "./retried.ts";
import type { SqlClient } from "./sql_client.ts";
import { halvesOfHex } from "./vector_text.ts";

/** Images of a statement. */
const PAGE = 2000;
/** Waits between attempts to read, in milliseconds: somebody waits for the answer. */
const READ_WAITS = [100, 500];

/** Options of {@linkcode PostgresIndex.create}. */
export interface PostgresIndexOptions {
  /** The schema that the index has for itself. Default: `vit_msn`. */
  readonly schema?: string | undefined;
  /** How messages call the index; an address without its password. Default: its schema. */
  readonly name?: string | undefined;
  /** Closed with the index, such as the connection. Default: nothing. */
  readonly owned?: AsyncDisposable | undefined;
}

/** Options of {@linkcode PostgresIndex.open}. */
export interface OpenPostgresOptions extends PostgresIndexOptions {
  /** What makes the queries; another model than the index's is refused. Default: no check. */
  readonly model?: IndexedModel | undefined;
}

/**
 * An index in a schema of a Postgres database with pgvector. Any number of processes on any number of machines
 * read and write it at a time. Up to 10,000 vectors, searches compare all; beyond, they go through an HNSW graph,
 * and compare all only if that finds too few.
 *
 * @example A client of the npm package `postgres`
 * ```ts ignore
 * import postgres from "postgres";
 * import { PostgresIndex, type SqlClient } from "@vit-msn/edge/search";
 *
 * const sql = postgres("postgres://me@server/photos");
 * const clientOf = (sql: postgres.Sql): SqlClient => ({
 *   query: (text, values = []) => sql.unsafe(text, [...values] as never[]),
 *   transaction: (run) => sql.begin((sql) => run(clientOf(sql))),
 * });
 * await using index = await PostgresIndex.open(clientOf(sql));
 * const [neighbours] = await index.search([vector], { k: 10, where: { label: "dog" } });
 * ```
 */
export class PostgresIndex implements VectorIndex {
  readonly model: IndexedModel;
  /** As messages call it. */
  readonly name: string;
  /** Where it lies. */
  readonly schema: IndexSchema;
  readonly #client: SqlClient;
  readonly #owned: AsyncDisposable | undefined;

  private constructor(
    client: SqlClient,
    schema: IndexSchema,
    model: IndexedModel,
    { name, owned }: PostgresIndexOptions,
  ) {
    this.#client = client;
    this.schema = schema;
    this.model = model;
    this.name = name ?? schema.name;
    this.#owned = owned;
  }

  /**
   * Opens an index to search it.
   *
   * @throws {Error} if there is none, the server lacks something, a newer version made it, or `model` is another
   * one.
   */
  static async open(
    client: SqlClient,
    options: OpenPostgresOptions = {},
  ): Promise<PostgresIndex> {
    return await opened(options, async (schemaName, name) => {
      const schema = await checkServer(client, schemaName);
      if (await readVersion(client, schema) === 0) {
        throw new Error(
          `the database has none in the schema ${schema.name}; make it with ` +
            `\`deno task index SOURCE --db ${name}\``,
        );
      }
      return await PostgresIndex.#readModel(client, schema, options, options.model);
    });
  }

  /**
   * Opens an index to write to it; makes it if there is none, and brings its tables up to date.
   *
   * @throws {Error} as {@linkcode PostgresIndex.open}.
   */
  static async create(
    client: SqlClient,
    model: IndexedModel,
    options: PostgresIndexOptions = {},
  ): Promise<PostgresIndex> {
    return await opened(options, async (schemaName) => {
      const schema = await checkServer(client, schemaName);
      if (await readVersion(client, schema) < INDEX_VERSION) {
        await retried(() => migrate(client, schema));
      }
      await client.query(
        `insert into ${schema.table("meta")} (key, value) values ('model', $1::text::jsonb)
        on conflict (key) do nothing`,
        [JSON.stringify(model)],
      );
      return await PostgresIndex.#readModel(client, schema, options, model);
    });
  }

  static async #readModel(
    client: SqlClient,
    schema: IndexSchema,
    options: PostgresIndexOptions,
    model: IndexedModel | undefined,
  ): Promise<PostgresIndex> {
    const version = await readVersion(client, schema);
    if (version > INDEX_VERSION) {
      throw new Error(
        `a newer version of this program made it (version ${version}, and this program knows version ` +
          `${INDEX_VERSION}); update the program, or embed anew into another schema`,
      );
    }
    const [row] = await client.query(
      `select value::text as model from ${schema.table("meta")} where key = 'model'`,
    );
    if (!row) throw new Error("its tables are there, but no model has written to it");
    const index = new PostgresIndex(client, schema, JSON.parse(row.model as string), options);
    if (model) await index.assertModel(model);
    return index;
  }

  /**
   * Checks that vectors of a model can be compared with the index's.
   *
   * @throws {Error} if not; the message says how to embed anew.
   */
  async assertModel(model: IndexedModel): Promise<void> {
    assertSameModel({ name: this.name, model: this.model, sources: await this.sources() }, model);
  }

  async counts(): Promise<IndexCounts> {
    const [row] = await this.#retried((client) =>
      client.query(
        `select (select count(*) from (
            select distinct path from ${
          this.schema.table("image")
        } where sha256 is not null) paths) as images,
          (select count(*) from ${this.schema.table("embedding")}) as vectors`,
      )
    );
    return { images: Number(row!.images), vectors: Number(row!.vectors) };
  }

  async sources(): Promise<string[]> {
    const rows = await this.#retried((client) =>
      client.query(`select name from ${this.schema.table("source")} order by name collate "C"`)
    );
    return rows.map(({ name }) => name as string);
  }

  async search(
    queries: readonly Float32Array[],
    { k, where = {} }: SearchOptions,
  ): Promise<Neighbour[][]> {
    const units = unitQueries(queries, k, this.model.dimension);
    return await this.#inSnapshot(async (client) => {
      const isGraph = await hasVectorIndex(client, this.schema);
      const results: Neighbour[][] = [];
      for (const unit of units) {
        results.push(await nearestImages(client, this.schema, { unit, k, where, isGraph }));
      }
      return results;
    }, graphSettings(k, this.schema));
  }

  async vectors(paths: readonly string[]): Promise<(Float32Array | undefined)[]> {
    const found = new Map<string, Float32Array>();
    for (let from = 0; from < paths.length; from += PAGE) {
      const rows = await this.#retried((client) =>
        client.query(
          `select distinct on (path) path,
            encode(${this.schema.type("halfvec_send")}(vector), 'hex') as vector
          from ${this.schema.table("image")} image
          join ${this.schema.table("embedding")} embedding using (sha256)
          where path = any($1::text[]) order by path, source`,
          [paths.slice(from, from + PAGE).filter((path) => !path.includes("\0"))],
        )
      );
      for (const { path, vector } of rows) {
        found.set(path as string, fromStoredVector(halvesOfHex(vector as string)));
      }
    }
    return paths.map((path) => found.get(path));
  }

  async pairs(threshold: number, options: PairOptions): Promise<Neighbour[][]> {
    const { dimension } = this.model;
    const { scan, keys, images } = await this.#inSnapshot(async (client) => {
      const { scan, keys } = await loadVectors(client, this.schema, dimension);
      return { scan, keys, images: await this.#imagesOf(client, keys) };
    });
    // Without a transaction, which would keep the server from cleaning up for as long as this takes.
    scanPairs(scan, keys.map((_, slot) => slot), threshold, options);
    return images;
  }

  async *images(): AsyncGenerator<IndexedImage> {
    let last = "";
    for (let isFirst = true;; isFirst = false) {
      const rows = await this.#retried((client) =>
        client.query(
          `select distinct on (image.path) image.path, label, container, start, size,
            encode(image.sha256, 'hex') as sha256,
            encode(${this.schema.type("halfvec_send")}(vector), 'hex') as vector
          from ${this.schema.table("image")} image
          join ${this.schema.table("embedding")} embedding using (sha256)
          where ${isFirst ? "$1::text is not null" : "image.path > $1"}
          order by image.path, image.source limit ${PAGE}`,
          [last],
        )
      );
      for (const row of rows) {
        yield {
          ...imageOf(row),
          sha256: row.sha256 as string,
          vector: halvesOfHex(row.vector as string),
        };
      }
      if (rows.length < PAGE) return;
      last = rows.at(-1)!.path as string;
    }
  }

  /** Begins to write, as a new run. */
  async write(): Promise<PostgresWriter> {
    const { schema, name, model: { dimension } } = this;
    const client = this.#client;
    const run = await this.#nextRun();
    return new PostgresWriter({ client, schema, name, dimension, run });
  }

  /** Closes what it owns. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned?.[Symbol.asyncDispose]();
  }

  async #nextRun(): Promise<number> {
    try {
      const [row] = await retried(() =>
        this.#client.query("select nextval($1::text::regclass) as run", [this.schema.table("run")])
      );
      return Number(row!.run);
    } catch (error) {
      throw postgresError(`write to the index ${this.name}`, error);
    }
  }

  /** The images of contents, each path once. */
  async #imagesOf(client: SqlClient, keys: readonly string[]): Promise<Neighbour[][]> {
    const images: Neighbour[][] = keys.map(() => []);
    for (let from = 0; from < keys.length; from += PAGE) {
      const rows = await client.query(
        `select distinct on (n, path) n, path, label, container, start, size
        from unnest($1::text[]) with ordinality as wanted (key, n)
        join ${this.schema.table("image")} image on image.sha256 = decode(key, 'hex')
        order by n, path, source`,
        [keys.slice(from, from + PAGE)],
      );
      for (const row of rows) {
        images[from + Number(row.n) - 1]!.push({ ...imageOf(row), similarity: 1 });
      }
    }
    return images;
  }

  /** Runs a function that sees one state of the database, after some settings. */
  async #inSnapshot<T>(run: (client: SqlClient) => Promise<T>, settings = ""): Promise<T> {
    return await this.#retried((client) =>
      client.transaction(async (client) => {
        await client.query(
          `set transaction isolation level repeatable read, read only; ${settings}`,
        );
        return await run(client);
      })
    );
  }

  async #retried<T>(run: (client: SqlClient) => Promise<T>): Promise<T> {
    try {
      return await retried(() => run(this.#client), READ_WAITS);
    } catch (error) {
      throw postgresError(`read the index ${this.name}`, error);
    }
  }
}

/** Runs what opens an index; its errors name the index, and close what it would own. */
async function opened(
  { schema = DEFAULT_SCHEMA, name = schema, owned }: PostgresIndexOptions,
  open: (schema: string, name: string) => Promise<PostgresIndex>,
): Promise<PostgresIndex> {
  try {
    return await open(schema, name);
  } catch (error) {
    await owned?.[Symbol.asyncDispose]();
    const isOwn = error instanceof Error && error.message.startsWith("Cannot ");
    throw isOwn ? error : postgresError(`open the index ${name}`, error);
  }
}
