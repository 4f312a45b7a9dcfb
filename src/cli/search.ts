import { isS3Url } from "../dataset/s3/s3_url.ts";
import { computedImages } from "../dataset/computed_images.ts";
import type { ImageFile } from "../dataset/image_files.ts";
import { readPathList } from "../dataset/read_path_list.ts";
import type { DecodeOptions } from "../image/decode_options.ts";
import { writeFile } from "../hub/write_file.ts";
import type { ViTMSNModel } from "../model/vit_msn_model.ts";
import { isPostgresUrl } from "../search/postgres/postgres_address.ts";
import type { Neighbour, VectorIndex } from "../search/vector_index.ts";
import { rowsOf } from "../tensor/rows_of.ts";
import { type Command, numberOption, type OptionValues, UsageError } from "./command.ts";
import { main } from "./main.ts";
import { assertWritable } from "./options/assert_writable.ts";
import { findArguments } from "./options/find_arguments.ts";
import { DB_OPTION, dbOption, embeddingOptions, indexedModelOf } from "./options/index_option.ts";
import { listedQueries } from "./options/listed_queries.ts";
import { MODEL_OPTIONS, openModelOption } from "./options/model_option.ts";
import { JOBS_OPTION, jobsOption, RUNTIME_OPTIONS } from "./options/runtime_option.ts";
import { indexName, openIndex } from "./options/open_index.ts";
import { WHERE_OPTION, whereOption } from "./options/where_option.ts";
import { log } from "./output/log.ts";
import { neighbourTable } from "./output/neighbour_table.ts";
import { printEach } from "./output/print_each.ts";
import { type FoundNeighbours, searchHtml } from "./output/search_html.ts";
import type { Terminal } from "./output/terminal.ts";

const options = {
  db: DB_OPTION,
  "top-k": { value: "K", help: "The number of neighbours of a photo; default 10" },
  where: WHERE_OPTION,
  "text-file": {
    value: "FILE",
    help:
      "Search for the images of this text file, too, a path a line, by their vectors in the index; " +
      "those that it lacks are read",
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
  usage: "<image|folder|glob|-> … --db DB",
  description:
    "Finds the images of an index that are most similar to photos, by the cosine of their embeddings. The\n" +
    "model must be the one that made the index; photos are decoded and pooled as the index says. An image\n" +
    "that the index has is the nearest one to itself.",
  options,
  examples: [
    ["photo.jpg --db photos.sqlite", "The ten nearest images"],
    ["photo.jpg --db photos.sqlite --top-k 50 --html found.html", "A page to look at"],
    ["photo.jpg --db photos.sqlite --where label=dog --where label=cat", "Of two labels only"],
    ["photo.jpg --db photos.sqlite --where 'path=*/2024/*'", "Of some folders only"],
    ["photo.jpg --db postgres://me@server/photos", "In an index on a Postgres server"],
    ["--text-file paths.txt --db photos.sqlite --json", "What is like images of the index"],
  ],
  async run(args, values, terminal) {
    const db = dbOption(values.db);
    const k = numberOption("top-k", values["top-k"], { otherwise: 10, min: 1, integer: true });
    const where = whereOption(values.where);
    const jobs = jobsOption(values);
    const list = values["text-file"];
    if (args.length === 0 && list === undefined) throw new UsageError("no photo given");
    if (values.html !== undefined) await assertWritable(values.html);
    await using index = await openIndex(db, { onDamage: log("search", terminal) });
    const find = (vectors: readonly Float32Array[]) => index.search(vectors, { k, where });
    await using opened = new AsyncDisposableStack();
    const open = async () => {
      const embedder = await openEmbedder(index, values, terminal, opened);
      // Photos of S3 are read for the page.
      const isRemote = isPostgresUrl(db) || (await index.sources()).some(isS3Url);
      if (!isRemote) await terminal.system.dropNetwork();
      return embedder;
    };
    // Images of the index need no model, but one that is named must be the right one.
    let embedder = values.model === undefined ? undefined : await open();
    const compute = async function* (files: readonly ImageFile[]) {
      const { model, pool, decoding } = embedder ??= await open();
      yield* computedImages(files, {
        stdin: terminal.stdin,
        decoding,
        jobs,
        compute: async (images) => await find(rowsOf(await model.embed(images, { pool }))),
      });
    };
    const files = args.length === 0 ? [] : await findArguments(args, "search", terminal);
    const paths = list === undefined ? [] : await readPathList(list);
    if (args.length === 0 && paths.length === 0) throw new Error(`${list}: it names no image`);
    const answers = async function* () {
      if (files.length > 0) yield* compute(files);
      yield* listedQueries(paths, index, { search: find, compute });
    };
    const found: FoundNeighbours[] = [];
    const exitCode = await printEach<Neighbour[]>(
      answers(),
      files.length + paths.length,
      terminal,
      {
        json: values.json,
        format(file, neighbours) {
          if (values.html !== undefined) found.push({ file, neighbours });
          return values.json
            ? JSON.stringify({ file, neighbours: neighbours.map(toJson) }) + "\n"
            : neighbourTable(file, neighbours);
        },
      },
    );
    if (values.html !== undefined) {
      const name = indexName(db);
      // The page has no password.
      const command = terminal.invocation?.replaceAll(db, name);
      const html = await searchHtml(found, { db: name, command, jobs });
      await writeFile(values.html, [new TextEncoder().encode(html)]);
    }
    return exitCode;
  },
};

/** What photos are embedded with. */
interface Embedder {
  readonly model: ViTMSNModel;
  readonly pool: "cls" | "mean";
  readonly decoding: DecodeOptions;
}

/** @throws {Error} if the model is not the one that made the index. */
async function openEmbedder(
  index: VectorIndex,
  values: OptionValues<typeof options>,
  terminal: Terminal,
  opened: AsyncDisposableStack,
): Promise<Embedder> {
  const { pool, decode } = index.model;
  const { model, file } = await openModelOption(values, terminal);
  opened.use(model);
  await index.assertModel(await indexedModelOf(file, { name: values.model ?? "", pool, decode }));
  return { model, ...embeddingOptions(index.model, model.processor) };
}

function toJson({ path, similarity }: Neighbour): Pick<Neighbour, "path" | "similarity"> {
  return { path, similarity };
}

if (import.meta.main) await main(search);
