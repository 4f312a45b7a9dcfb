import { isS3Url, parseS3Url } from "../dataset/s3/s3_url.ts";
import { DECODE_MODES } from "../image/decode_options.ts";
import { EXPORT_FORMATS, exportIndex } from "../search/export/export_index.ts";
import { isPostgresUrl, readPostgresAddress } from "../search/postgres/postgres_address.ts";
import { DEFAULT_SCHEMA } from "../search/postgres/index_schema.ts";
import { schemaSql } from "../search/postgres/schema_sql.ts";
import { queueSchemaSql } from "../search/queue/index_queue.ts";
import {
  choiceOption,
  type Command,
  errorMessage,
  type OptionValues,
  UsageError,
} from "./command.ts";
import { enqueueSources } from "./indexing/enqueue_sources.ts";
import { SourceError, sourceName } from "./indexing/list_source.ts";
import { showStatus } from "./indexing/show_status.ts";
import {
  forgetSource,
  type Outcome,
  type SourceJob,
  updateSource,
} from "./indexing/update_source.ts";
import { main } from "./main.ts";
import { DECODE_OPTION, decodeOptions } from "./options/decode_option.ts";
import { DB_OPTION, dbOption, indexedModelOf } from "./options/index_option.ts";
import { interruptible } from "./options/interruptible.ts";
import { MODEL_OPTIONS, openModelOption, readModelOption } from "./options/model_option.ts";
import { createIndex, indexName, openIndex } from "./options/open_index.ts";
import { JOBS_OPTION, jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { FailureLog } from "./output/failure_log.ts";
import { log } from "./output/log.ts";
import { printable } from "./output/printable.ts";
import type { Terminal } from "./output/terminal.ts";

const options = {
  db: DB_OPTION,
  ...MODEL_OPTIONS,
  ...RUNTIME_OPTIONS,
  ...JOBS_OPTION,
  pool: {
    value: "P",
    help: "cls: the first token (default); mean: the mean of the patch tokens",
  },
  decode: DECODE_OPTION,
  forget: { help: "Forget all images of the sources, which may be gone" },
  enqueue: {
    help: "Only list the sources, and leave the images to `deno task worker`; on Postgres",
  },
  status: {
    help: "Show how far the index is, its workers and what failed; takes no sources; on Postgres",
  },
  export: {
    value: "FOLDER",
    help: "Write the whole index into a new folder, in shards; takes no sources",
  },
  format: {
    value: "TYPE",
    help:
      "The files of --export: npy (default) or safetensors, with JSON lines beside it, or parquet",
  },
  "print-schema": {
    help:
      "Print the SQL of an index in Postgres, for --model's vectors and the schema of --db, and do nothing else",
  },
  json: {
    help: "Print JSON lines: {file, error} for an image that failed, {db, images, …} at the end",
  },
};

type Values = OptionValues<typeof options>;

const MODEL = Object.keys(MODEL_OPTIONS);

/** What the command does in place of bringing an index up to date, and the options that go with it. */
const MODES = {
  "print-schema": ["db", ...MODEL],
  export: ["db", "format", "json"],
  status: ["db", "json"],
  enqueue: ["db", ...MODEL, "pool", "decode", "json"],
  forget: ["db", ...MODEL, "pool", "decode", "json"],
};

/** `deno task index`: keeps an index of images up to date. */
export const index: Command<typeof options> = {
  name: "index",
  usage: "SOURCE … --db DB",
  description:
    "Brings an index up to date with its sources: embeds images that are new or changed, forgets those\n" +
    "that a source no longer has, and leaves the rest. A source is a folder, an image, a glob, a table\n" +
    "(.csv or .jsonl) with path and perhaps label, a list (.txt) of one path a line, a tar file, or\n" +
    "s3://BUCKET/FOLDER. The label of an image in a folder is the folder right in the source. After\n" +
    "Ctrl-C, the same command goes on. For S3, set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and\n" +
    "AWS_REGION, and AWS_ENDPOINT_URL for a server that is not Amazon's.",
  options,
  examples: [
    ["photos --db photos.sqlite", "A folder; again for what has changed since"],
    ["photos more/*.tar --db photos.sqlite --jobs 4", "Several sources, on four cores"],
    ["s3://my-bucket/photos --db photos.sqlite", "What is in a bucket"],
    ["photos --db photos.sqlite --forget", "Forget the folder's images"],
    ["--db photos.sqlite --export vectors", "All vectors, for Python"],
    ["photos --db postgres://me@server/photos", "Into a Postgres database with pgvector"],
    ["--print-schema", "The SQL that this runs there at first"],
  ],
  async run(sources, values, terminal) {
    assertMode(values);
    if (values["print-schema"]) return await printSchema(sources, values, terminal);
    const db = dbOption(values.db);
    const format = choiceOption("format", values.format, EXPORT_FORMATS);
    if (values.export !== undefined) {
      if (sources.length > 0) throw new UsageError("--export takes no sources");
      return await writeExport(db, values.export, format, values, terminal);
    }
    if (values.format !== undefined) throw new UsageError("--format requires --export");
    if (values.status) {
      if (sources.length > 0) throw new UsageError("--status takes no sources");
      await showStatus(serverOption("status", values.db), values.json, terminal);
      return 0;
    }
    if (sources.length === 0) throw new UsageError("no source given");
    for (const source of sources.filter(isS3Url)) assertS3Source(source);
    if (values.enqueue) return await enqueue(sources, values, terminal);
    return await update(sources, db, values, terminal);
  },
};

/** @throws {UsageError} if an option is given that has no effect in the chosen mode. */
function assertMode(values: Values): void {
  const isGiven = (name: string) =>
    ![undefined, false].includes(values[name as keyof Values] as never);
  const mode = Object.entries(MODES).find(([name]) => isGiven(name));
  if (!mode) return;
  const [name, taken] = mode;
  const other = Object.keys(options).find((other) =>
    other !== name && isGiven(other) && !taken.includes(other)
  );
  if (other !== undefined) throw new UsageError(`--${other} does not go with --${name}`);
}

/** @throws {UsageError} if the index is not on a server. */
function serverOption(option: string, db: string | undefined): string {
  if (db !== undefined && isPostgresUrl(db)) return db;
  throw new UsageError(`--${option} requires an index on Postgres: --db postgres://…`);
}

async function enqueue(
  sources: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<number> {
  const db = serverOption("enqueue", values.db);
  const pool = choiceOption("pool", values.pool, ["cls", "mean"]);
  const decode = choiceOption("decode", values.decode, DECODE_MODES);
  const file = await readModelOption(values, terminal);
  const model = await indexedModelOf(file, { name: values.model ?? "", pool, decode });
  const interruption = interruptible();
  try {
    const { json } = values;
    const { signal } = interruption;
    return await enqueueSources(sources, db, model, { json, signal, terminal });
  } finally {
    interruption.end();
  }
}

/** @throws {UsageError} if an address of S3 names no bucket. */
function assertS3Source(source: string): void {
  try {
    parseS3Url(source);
  } catch (error) {
    throw new UsageError(errorMessage(error));
  }
}

async function update(
  sources: readonly string[],
  db: string,
  values: Values,
  terminal: Terminal,
): Promise<number> {
  const pool = choiceOption("pool", values.pool, ["cls", "mean"]);
  const decode = choiceOption("decode", values.decode, DECODE_MODES);
  const jobs = jobsOption(values);
  const warn = log("index", terminal);
  const name = indexName(db);
  const { model, file } = await openModelOption(values, terminal);
  await using _model = model;
  const isRemote = isPostgresUrl(db) || sources.some(isS3Url);
  if (!isRemote) await terminal.system.dropNetwork();
  const indexed = await indexedModelOf(file, { name: values.model ?? "", pool, decode });
  const interruption = interruptible();
  const { signal } = interruption;
  const outcome: Outcome = { embedded: 0, known: 0, forgotten: 0, failed: 0 };
  const failures = new FailureLog(terminal, { json: values.json });
  let failedSources = 0;
  try {
    await using index = await createIndex(db, indexed, {
      signal,
      onWait: () => warn(`another process writes to ${name}: waiting for it`),
      onDamage: warn,
    });
    await using writer = await index.write();
    for (const source of sources) {
      if (signal.aborted) break;
      const job: SourceJob = {
        db,
        name: sourceName(source),
        writer,
        embedding: { model, pool, decoding: decodeOptions(decode, model.processor), jobs },
        outcome,
        failures,
        signal,
        terminal,
      };
      try {
        if (values.forget) await forgetSource(source, job, await index.sources());
        else await updateSource(source, job);
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        failedSources++;
        warn(errorMessage(error));
      }
    }
    failures.end(warn);
    if (!signal.aborted) await writer.finish();
    const { images, vectors } = await index.counts();
    const { embedded, known, forgotten, failed } = outcome;
    terminal.stdout.write(
      values.json
        ? JSON.stringify({ db: name, images, vectors, ...outcome }) + "\n"
        : `${printable(name)}: ${images} images, ${vectors} vectors; ${embedded} embedded, ` +
          `${known} known, ${forgotten} forgotten, ${failed} failed\n`,
    );
  } catch (error) {
    if (isDiskFull(error)) {
      throw new Error(
        `Cannot write ${name}: the disk is full; what was written is kept, so free some room and run the same ` +
          "command again",
      );
    }
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    interruption.end();
  }
  if (signal.aborted) {
    warn("interrupted: what was embedded is kept; the same command goes on");
    return 1;
  }
  return outcome.failed + failedSources > 0 ? 1 : 0;
}

/** Whether SQLite (code 13) or the system found no room. */
function isDiskFull(error: unknown): boolean {
  const { errcode, code } = (error ?? {}) as { errcode?: number; code?: string };
  return errcode === 13 || code === "ENOSPC";
}

async function printSchema(
  sources: readonly string[],
  values: Values,
  terminal: Terminal,
): Promise<number> {
  if (sources.length > 0) throw new UsageError("--print-schema takes no sources");
  const db = values.db === undefined ? undefined : dbOption(values.db);
  if (db !== undefined && !isPostgresUrl(db)) {
    throw new UsageError(`--print-schema is for Postgres, and --db is ${db}`);
  }
  const file = await readModelOption(values, terminal);
  const schema = db === undefined ? DEFAULT_SCHEMA : readPostgresAddress(db).schema;
  const queue = await queueSchemaSql(schema);
  terminal.stdout.write(
    `${schemaSql(schema, file.config.hiddenSize)}
-- The queue, which pg-boss keeps
${queue}
`,
  );
  return 0;
}

async function writeExport(
  db: string,
  folder: string,
  format: (typeof EXPORT_FORMATS)[number],
  { json }: Values,
  terminal: Terminal,
): Promise<number> {
  await using index = await openIndex(db);
  const { images, shards } = await exportIndex(index, folder, format);
  terminal.stdout.write(
    json
      ? JSON.stringify({ folder, images, shards }) + "\n"
      : `${printable(folder)}: ${images} images in ${shards} ${
        shards === 1 ? "shard" : "shards"
      }\n`,
  );
  return 0;
}

if (import.meta.main) await main(index);
