import { isS3Url } from "../dataset/s3/s3_url.ts";
import { isPostgresUrl } from "../search/postgres/postgres_address.ts";
import { type DuplicateGroup, nearDuplicates } from "../search/near_duplicates.ts";
import { type Command, UsageError } from "./command.ts";
import { main } from "./main.ts";
import { calibrateDuplicates, type Calibration } from "./options/duplicate_calibration.ts";
import { DB_OPTION, dbOption, embeddingOptions, indexedModelOf } from "./options/index_option.ts";
import { MODEL_OPTIONS, openModelOption } from "./options/model_option.ts";
import { openIndex } from "./options/open_index.ts";
import { JOBS_OPTION, jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { log } from "./output/log.ts";
import { printable } from "./output/printable.ts";
import { StatusLine } from "./output/progress/status_line.ts";

const options = {
  db: DB_OPTION,
  ...MODEL_OPTIONS,
  ...RUNTIME_OPTIONS,
  ...JOBS_OPTION,
  json: {
    help:
      "Print JSON lines: {threshold, found, false_positives, photos}, then {group: [{path, similarity}]}",
  },
};

/** `deno task dedupe`: finds groups of near-duplicates in an index. */
export const dedupe: Command<typeof options> = {
  name: "dedupe",
  usage: "--db DB",
  description:
    "Finds groups of images in an index that look alike, and deletes nothing. The least similarity is\n" +
    "calibrated on up to 200 of the index's photos: 95 % of slightly changed copies are found, or fewer,\n" +
    "so that at most 1 % of the photos have a different picture above it. Call it from the folder that the\n" +
    "index was made from, so that the photos can be read.",
  options,
  examples: [
    ["--db photos.sqlite", "Groups of images that look alike, the largest first"],
    ["--db photos.sqlite --json > groups.jsonl", "For other programs"],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`it takes no argument, but ${positional[0]}`);
    const db = dbOption(values.db);
    const jobs = jobsOption(values);
    await using index = await openIndex(db, { onDamage: log("dedupe", terminal) });
    const { pool, decode } = index.model;
    const { model, file } = await openModelOption(values, terminal);
    await using _model = model;
    // Photos of S3 are read for the calibration.
    const isRemote = isPostgresUrl(db) || (await index.sources()).some(isS3Url);
    if (!isRemote) await terminal.system.dropNetwork();
    await index.assertModel(await indexedModelOf(file, { name: values.model ?? "", pool, decode }));
    const line = new StatusLine(terminal.stderr);
    const show = (what: string) => (done: number, all: number) =>
      line.draw(performance.now(), () => `${what}: ${done} of ${all}`);
    const calibration = await calibrateDuplicates(index, {
      model,
      ...embeddingOptions(index.model, model.processor),
      jobs,
      onPhoto: show("calibrating on photos"),
    });
    const groups = await nearDuplicates(index, calibration.threshold, {
      onProgress: show("comparing contents"),
    });
    line.clear();
    const { stdout } = terminal;
    stdout.write(values.json ? calibrationJson(calibration) : calibrationText(calibration));
    for (const group of groups) {
      stdout.write(values.json ? groupJson(group) : groupText(group));
    }
    return 0;
  },
};

function calibrationJson({ threshold, found, falsePositives, photos }: Calibration): string {
  return JSON.stringify({ threshold, found, false_positives: falsePositives, photos }) + "\n";
}

function calibrationText({ threshold, found, falsePositives, photos }: Calibration): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `Similarity of at least ${
    threshold.toFixed(4)
  }, calibrated on ${photos} photos: it finds ` +
    `${percent(found)} of slightly changed copies; ${
      percent(falsePositives)
    } of the photos have a ` +
    "different picture above it.\n";
}

function groupJson(group: DuplicateGroup): string {
  return JSON.stringify({ group: group.map(({ path, similarity }) => ({ path, similarity })) }) +
    "\n";
}

function groupText(group: DuplicateGroup): string {
  const lines = group.map(({ path, similarity }) =>
    `  ${similarity.toFixed(4)}  ${printable(path)}\n`
  );
  return `${group.length} images\n${lines.join("")}`;
}

if (import.meta.main) await main(dedupe);
