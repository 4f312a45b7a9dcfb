import * as v from "valibot";
import { parseFilter } from "../../search/parse_filter.ts";
import type {
  ImageFilter,
  Neighbour,
  SearchOptions,
  VectorIndex,
} from "../../search/vector_index.ts";
import { rowsOf } from "../../tensor/rows_of.ts";
import { Problem } from "../problem.ts";
import { readImageInputs } from "../request/image_inputs.ts";
import type { Route } from "../route.ts";
import { EXAMPLE_IMAGE, oneOrMoreImages, positiveInteger } from "../schemas.ts";

/** Neighbours of an image: 32 images have an answer of a few MB. */
const MAX_TOP_K = 1000;
const DEFAULT_TOP_K = 10;
/** Tests of a filter. */
const MAX_TESTS = 16;
/** Characters of a test. */
const MAX_TEST_LENGTH = 256;
/**
 * `*`, `?` and `[` in the patterns of a filter: they are compared with every path of the index, and these decide
 * how long it takes.
 */
const MAX_WILDCARDS = 8;

const TOO_LARGE = `a number up to ${MAX_TOP_K}`;

const parameters = v.strictObject({
  top_k: v.optional(
    v.pipe(
      positiveInteger,
      v.maxValue(MAX_TOP_K, TOO_LARGE),
      v.description(`At most so many neighbours of an image; default ${DEFAULT_TOP_K}`),
    ),
  ),
  where: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string(),
          v.maxLength(MAX_TEST_LENGTH, `at most ${MAX_TEST_LENGTH} characters`),
          v.regex(/^(label|path)=[\s\S]/, "label=NAME or path=PATTERN"),
        ),
      ),
      v.maxLength(MAX_TESTS, `at most ${MAX_TESTS} tests`),
      v.description(
        "Only images with this label, or of this pattern of the whole path, in which * is any text; any of " +
          "several labels, and any of several patterns; in a query or form, a `where` for each",
      ),
    ),
  ),
});

const found = v.object({
  file: v.optional(v.pipe(v.string(), v.description("The file's name in a form"))),
  neighbours: v.array(v.object({
    path: v.string(),
    similarity: v.pipe(v.number(), v.description("The cosine, from -1 to 1")),
    label: v.optional(v.string()),
  })),
});

/** `POST /search`: the images of the service's index that are most similar to an image, or to several. */
export const search: Route = {
  method: "post",
  path: "/search",
  group: "search",
  summary: "Finds the images of the index that are most similar to an image, or to several",
  errors: "problem",
  parameters,
  request: {
    schema: v.strictObject({ inputs: oneOrMoreImages, parameters: v.optional(parameters) }),
    example: () => ({ inputs: EXAMPLE_IMAGE, parameters: { top_k: 3, where: ["path=*"] } }),
    takesImages: true,
  },
  response: v.union([found, v.array(found)]),
  async answer(exchange, service) {
    const index = service.index!; // without one there is no such route
    using body = await service.body(exchange);
    const { images, names, parameters: given, isBatch } = await readImageInputs(
      exchange.request,
      body.bytes,
      parameters,
      service.limits.maxImages,
      (url) => service.fetchImage(exchange, url),
    );
    const { top_k: k = DEFAULT_TOP_K, where: tests = [] } = given;
    const where = parseFilter(tests);
    assertWildcards(where);
    const served = await service.model(exchange);
    const { model } = served;
    // A part of the work that waits in the queue: it is computed here, too, and counts for what is let in.
    const results = await service.infer<TimedNeighbours>(exchange, images, served, {
      key: JSON.stringify(["search", k, where]),
      async run(pixelValues) {
        const pool = index.model.pool === "mean" ? "mean" : "cls";
        const queries = rowsOf(await model.embed(pixelValues, { pool }));
        const start = performance.now();
        const neighbours = await nearest(index, queries, { k, where });
        const time = performance.now() - start;
        return neighbours.map((neighbours) => ({ neighbours, time }));
      },
    });
    for (const { time } of results) {
      exchange.addTime("inference", -time);
      exchange.addTime("search", time);
    }
    const answers = results.map(({ neighbours }, i) => ({
      ...(names ? { file: names[i] } : {}),
      neighbours: neighbours.map(({ path, similarity, label }) => ({
        path,
        similarity,
        ...(label === undefined ? {} : { label }),
      })),
    }));
    return Response.json(isBatch ? answers : answers[0]);
  },
};

/** @throws {Problem} 400 if the patterns would take too long. */
function assertWildcards({ path = [] }: ImageFilter): void {
  const count = [...path].join("").match(/[*?[]/g)?.length ?? 0;
  if (count <= MAX_WILDCARDS) return;
  throw new Problem(
    400,
    `where has ${count} of *, ? and [ in its patterns, not at most ${MAX_WILDCARDS}`,
  );
}

interface TimedNeighbours {
  readonly neighbours: readonly Neighbour[];
  /** Of the search, in milliseconds. */
  readonly time: number;
}

/** @throws {Problem} 503 if the index fails: its file is gone, or its server does not answer. */
async function nearest(
  index: VectorIndex,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<Neighbour[][]> {
  try {
    return await index.search(queries, options);
  } catch (cause) {
    throw new Problem(503, "The index cannot be searched now; try again later", {
      "retry-after": "5",
    }, { cause });
  }
}
