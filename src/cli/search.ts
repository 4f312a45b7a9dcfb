import { isS3Url } from "../dataset/s3/s3_url.ts";
import type { DecodeOptions } from "../image/decode_options.ts";
import { DECODE_MODES } from "../image/decode_options.ts";
import { writeFile } from "../hub/write_file.ts";
import { EmbeddedIndex } from "../search/embedded/embedded_index.ts";
import type { ImageFilter, Neighbour } from "../search/vector_index.ts";
import { rowsOf } from "../tensor/rows_of.ts";
import { choiceOption, type Command, numberOption, UsageError } from "./command.ts";
import { main } from "./main.ts";
import { assertWritable } from "./options/assert_writable.ts";
import { decodeOptions } from "./options/decode_option.ts";
import { DB_OPTION, dbOption, indexedModelOf } from "./options/index_option.ts";
import { MODEL_OPTIONS, openModelOption } from "./options/model_option.ts";
import { JOBS_OPTION, jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { eachImage } from "./output/each_image.ts";
import { log } from "./output/log.ts";
import { neighbourTable } from "./output/neighbour_table.ts";
import { type FoundNeighbours, searchHtml } from "./output/search_html.ts";

const options = {
  db: DB_OPTION,
  "top-k": { value: "K", help: "The number of neighbours of a photo; default 10" },
  where: {
    value: "TEST",
    help:
      "Search some images only: label=NAME, or path=PATTERN of the whole path, in which * is any text",
  },
  ...MODEL_OPTIONS,
  ...RUNTIME_OPTIONS,
  ...JOBS_OPTION,
  html: {
    value: "FILE",
    help: "Also write a page with thumbnails of the photos and their neighbours",
  },
  json: {
    help: "Print JSON lines: {file, neighbours: [{path, similarity}]} or {file, error}",
  },
};

/** `deno task search`: finds the indexed images that are most similar to photos. */
export const search: Command<typeof options> = {
  name: "search",
  usage: "<image|folder|glob|-> … --db FILE",
  description:
    "Finds the images of an index that are most similar to photos, by the cosine of their embeddings. The\n" +
    "model must be the one that made the index; photos are decoded and pooled as the index says.",
  options,
  examples: [
    ["photo.jpg --db photos.sqlite", "The ten nearest images"],
    ["photo.jpg --db photos.sqlite --top-k 50 --html found.html", "A page to look at"],
    ["photo.jpg --db photos.sqlite --where label=dog", "Of one label only"],
    ["photo.jpg --db photos.sqlite --where 'path=*/2024/*'", "Of some folders only"],
  ],
  async run(args, values, terminal) {
    const db = dbOption(values.db);
    const k = numberOption("top-k", values["top-k"], { otherwise: 10, min: 1, integer: true });
    const where = whereOption(values.where);
    const jobs = jobsOption(values);
    if (args.length === 0) throw new UsageError("no photo given");
    if (values.html !== undefined) await assertWritable(values.html);
    await using index = await EmbeddedIndex.open(db, { onDamage: log("search", terminal) });
    const { pool, decode } = index.model;
    const { model, file } = await openModelOption(values, terminal);
    await using _model = model;
    // Photos of S3 are read for the page.
    if (!(await index.sources()).some(isS3Url)) await terminal.system.dropNetwork();
    const name = values.model ?? "";
    await index.assertModel(await indexedModelOf(file, { name, pool, decode }));
    const decoding: DecodeOptions = decodeOptions(
      choiceOption("decode", decode, DECODE_MODES),
      model.processor,
    );
    const found: FoundNeighbours[] = [];
    const exitCode = await eachImage<Neighbour[]>(args, terminal, {
      name: "search",
      decoding,
      json: values.json,
      jobs,
      async compute(images) {
        const vectors = rowsOf(
          await model.embed(images, { pool: pool === "mean" ? "mean" : "cls" }),
        );
        return await index.search(vectors, { k, where });
      },
      format(file, neighbours) {
        if (values.html !== undefined) found.push({ file, neighbours });
        return values.json
          ? JSON.stringify({ file, neighbours: neighbours.map(toJson) }) + "\n"
          : neighbourTable(file, neighbours);
      },
    });
    if (values.html !== undefined) {
      const html = await searchHtml(found, { db, command: terminal.invocation, jobs });
      await writeFile(values.html, [new TextEncoder().encode(html)]);
    }
    return exitCode;
  },
};

function toJson({ path, similarity }: Neighbour): Pick<Neighbour, "path" | "similarity"> {
  return { path, similarity };
}

/** @throws {UsageError} if it is no test. */
function whereOption(value: string | undefined): ImageFilter {
  if (value === undefined) return {};
  const [, name, wanted] = /^(label|path)=(.+)$/s.exec(value) ?? [];
  if (name === "label") return { label: wanted! };
  if (name === "path") return { path: wanted! };
  throw new UsageError(`--where is ${value}, not label=NAME or path=PATTERN`);
}

if (import.meta.main) await main(search);
