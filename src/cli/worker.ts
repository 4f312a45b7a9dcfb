import { ImageDecoder } from "../image/image_decoder.ts";
import { isPostgresUrl } from "../search/postgres/postgres_address.ts";
import { openQueue } from "../search/queue/index_queue.ts";
import { queueStatus } from "../search/queue/queue_status.ts";
import { endWorker, registerWorker } from "../search/queue/queue_worker.ts";
import { type Command, UsageError } from "./command.ts";
import { Heart } from "./indexing/heart.ts";
import { untilReachable } from "./indexing/until_reachable.ts";
import { workOnJobs } from "./indexing/work_on_jobs.ts";
import { main } from "./main.ts";
import { dbOption, embeddingOptions, indexedModelOf } from "./options/index_option.ts";
import { interruptible } from "./options/interruptible.ts";
import { MODEL_OPTIONS, openModelOption } from "./options/model_option.ts";
import { openPostgres } from "./options/open_postgres.ts";
import { JOBS_OPTION, jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { log } from "./output/log.ts";
import { printable } from "./output/printable.ts";

const options = {
  db: {
    value: "URL",
    help: "The index, postgres://USER@HOST/DATABASE[?schema=NAME]; required",
  },
  "exit-when-empty": { help: "End when no job waits and none is under way, also elsewhere" },
  ...MODEL_OPTIONS,
  ...RUNTIME_OPTIONS,
  ...JOBS_OPTION,
  json: {
    help:
      "Print JSON lines: {file, error} for an image that failed, {worker, images, failed} at the end",
  },
};

/** `deno task worker`: embeds what `deno task index --enqueue` has listed. */
export const worker: Command<typeof options> = {
  name: "worker",
  usage: "--db postgres://…",
  description:
    "Embeds the images that `deno task index SOURCE --db postgres://… --enqueue` has listed: any number of\n" +
    "workers, on any number of machines that can read the sources. The model must be the one that made the\n" +
    "index; images are decoded and pooled as the index says. Ctrl-C finishes the images under way and gives\n" +
    "back the rest at once. What a worker had that was killed is with another one after 20 s at the most.\n" +
    "Without work, it waits for more.",
  options,
  examples: [
    ["--db postgres://me@host/photos", "A worker"],
    [
      "--db postgres://me@host/photos --jobs 4 --exit-when-empty",
      "On four cores, until all is done",
    ],
  ],
  async run(args, values, terminal) {
    if (args.length > 0) throw new UsageError(`unexpected argument ${args[0]}`);
    const db = dbOption(values.db);
    if (!isPostgresUrl(db)) {
      throw new UsageError("--db is no postgres:// address: only an index on Postgres has a queue");
    }
    const jobs = jobsOption(values);
    const warn = log("worker", terminal);
    const interruption = interruptible();
    const { signal } = interruption;
    try {
      const reach = <T>(run: () => Promise<T>) => untilReachable(run, signal, warn);
      const { index, connection } = await reach(() => openPostgres(db));
      await using _index = index;
      const { schema, name } = connection;
      const queue = await reach(() => openQueue(connection, schema, { create: false }));
      if (!queue) {
        throw new Error(
          `Cannot work: the index ${name} has no queue; enqueue a source with ` +
            `\`deno task index SOURCE --db ${name} --enqueue\``,
        );
      }
      const { pool, decode } = index.model;
      const { model, file } = await openModelOption(values, terminal);
      await using _model = model;
      await index.assertModel(
        await indexedModelOf(file, { name: values.model ?? "", pool, decode }),
      );
      const host = Deno.hostname();
      const id = `${host}/${Deno.pid}/${crypto.randomUUID().slice(0, 8)}`;
      await reach(() => registerWorker(queue, { id, host, rate: 0 }));
      // Jobs are small: starting workers for each would take a while.
      using decoder = new ImageDecoder({ workers: jobs });
      using heart = new Heart(db, id);
      const { images, failed } = await workOnJobs({
        id,
        host,
        queue,
        writer: await reach(() => index.write()),
        heart,
        embedding: {
          model,
          ...embeddingOptions(index.model, model.processor),
          jobs,
          decoder,
        },
        exitWhenEmpty: values["exit-when-empty"],
        reach,
        signal,
        json: values.json,
        terminal,
      });
      await endWorker(queue, id);
      terminal.stdout.write(
        values.json
          ? JSON.stringify({ worker: id, images, failed }) + "\n"
          : `${printable(name)}: ${images} images indexed, ${failed} failed\n`,
      );
      const { count: dead } = (await queueStatus(queue)).deadJobs;
      if (dead > 0 && !signal.aborted) {
        warn(
          `${dead} ${dead === 1 ? "job" : "jobs"} failed again and again: ` +
            `\`deno task index --status --db ${name}\` shows the errors`,
        );
      }
      return failed > 0 || dead > 0 && !signal.aborted ? 1 : 0;
    } finally {
      interruption.end();
    }
  },
};

if (import.meta.main) await main(worker);
