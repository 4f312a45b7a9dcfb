import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as v from "valibot";
import type { HandlerOptions } from "../../src/http/handler.ts";
import { search } from "../../src/http/routes/search.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { EmbeddedIndex } from "../../src/search/embedded/embedded_index.ts";
import type { VectorIndex } from "../../src/search/vector_index.ts";
import { TempFolder } from "../cli/run.ts";
import { get, post, service, SHIP } from "./service.ts";

const MODEL = { sha256: "ab", name: "mine", pool: "mean", decode: "standard", dimension: 192 };
const NAMES = ["bird", "deer", "dog", "ship"];
const photo = (name: string) => Deno.readFileSync(`test/images/${name}.jpg`);

const model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));

/** The embedding as an index of mean tokens has it. */
async function vectorOf(name: string): Promise<Float32Array> {
  return (await model.embed(photo(name), { pool: "mean" })).data;
}

/** Writes photos to an index, animals with a label. */
async function put(path: string, names: readonly string[]): Promise<void> {
  await using index = await EmbeddedIndex.create(path, MODEL);
  await using writer = await index.write();
  await writer.put(
    "photos",
    await Promise.all(names.map(async (name, i) => ({
      path: `photos/${name}.jpg`,
      ...(name === "ship" ? {} : { label: i % 2 === 0 ? "even" : "odd" }),
      size: 1,
      sha256: `0${NAMES.indexOf(name)}`,
      vector: await vectorOf(name),
    }))),
  );
}

/** A service of an index of {@linkcode NAMES}. */
async function searching(
  options: Partial<HandlerOptions> = {},
): Promise<AsyncDisposable & { handler: ReturnType<typeof service>; path: string }> {
  const folder = new TempFolder();
  const path = `${folder.path}/a.sqlite`;
  await put(path, NAMES);
  const index = await EmbeddedIndex.open(path, { model: MODEL });
  return {
    handler: service({ index, ...options }),
    path,
    async [Symbol.asyncDispose]() {
      await index[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

interface Found {
  readonly file?: string;
  readonly neighbours: readonly { path: string; similarity: number; label?: string }[];
}

async function answer<T = Found>(response: Response): Promise<T> {
  assertEquals(response.status, 200, await response.clone().text());
  const json = await response.json();
  v.parse(search.response as v.GenericSchema, json);
  return json;
}

const pathsOf = ({ neighbours }: Found) =>
  neighbours.map(({ path }) => path.replace(/photos\/(.*)\.jpg/, "$1"));

Deno.test("POST /search takes images as POST /embed does, and finds each one in the index", async () => {
  await using served = await searching();
  const { handler } = served;
  const raw = await handler(post("/search?top_k=2", SHIP));
  assertMatch(raw.headers.get("server-timing")!, /inference;dur=[\d.]+.*search;dur=[\d.]+/);
  const first = await answer(raw);
  assertEquals(Object.keys(first), ["neighbours"]);
  assertEquals([pathsOf(first)[0], first.neighbours.length], ["ship", 2]);
  const [{ similarity, ...ship }, animal] = first.neighbours as [
    Found["neighbours"][0],
    Found["neighbours"][0],
  ];
  assertEquals(ship, { path: "photos/ship.jpg" });
  assert(similarity > 0.999 && similarity <= 1 && animal.similarity < similarity);
  assert(["even", "odd"].includes(animal.label!));

  const form = new FormData();
  form.append("image", new Blob([photo("dog")]), "a dog.jpg");
  assertEquals((await answer(await handler(post("/search", form)))).file, "a dog.jpg");
  form.append("top_k", "1");
  form.append("image", new Blob([photo("bird")]), "b.jpg");
  const both = await answer<Found[]>(await handler(post("/search", form)));
  assertEquals(both.map(({ file }) => file), ["a dog.jpg", "b.jpg"]);
  assertEquals(both.map(pathsOf), [["dog"], ["bird"]]);

  const inputs = [photo("deer").toBase64()];
  const [all, ...others] = await answer<Found[]>(await handler(post("/search", { inputs })));
  assertEquals(others, []);
  assertEquals(pathsOf(all!).toSorted(), NAMES);
  assertEquals(pathsOf(all!)[0], "deer");
});

Deno.test("POST /search filters by the grammar of the command line", async () => {
  await using served = await searching();
  const { handler } = served;
  const queries = async (query: string) =>
    pathsOf(await answer(await handler(post(`/search?${query}`, SHIP)))).toSorted();
  assertEquals(await queries("where=label=even"), ["bird", "dog"]);
  assertEquals(await queries("where=label=even&where=label=odd"), ["bird", "deer", "dog"]);
  assertEquals(await queries("where=path=*/d*&where=path=*ship*&where=label=odd"), ["deer"]);
  assertEquals(await queries("where=label=nothing"), []);
  const form = new FormData();
  form.append("image", new Blob([SHIP]));
  for (const test of ["label=even", "path=*dog*"]) form.append("where", test);
  assertEquals(pathsOf(await answer(await handler(post("/search", form)))), ["dog"]);
  const json = { inputs: SHIP.toBase64(), parameters: { where: ["path=photos/d*"], top_k: 9 } };
  const found = await answer(await handler(post("/search", json)));
  assertEquals(pathsOf(found).toSorted(), ["deer", "dog"]);
});

Deno.test("POST /search keeps requests of different filters apart, when they are computed together", async () => {
  await using served = await searching();
  const { handler } = served;
  const paths = [
    "/search?top_k=1",
    "/search?where=label=odd",
    "/search?top_k=1",
    "/search?top_k=2",
  ];
  const found = await Promise.all(
    paths.map(async (path) => await answer(await handler(post(path, SHIP)))),
  );
  assertEquals(found.map(({ neighbours }) => neighbours.length), [1, 1, 1, 2]);
  assertEquals(pathsOf(found[1]!), ["deer"]);
});

Deno.test("POST /search finds what was indexed since, in an index that is open", async () => {
  await using served = await searching();
  const { handler, path } = served;
  const find = async () => pathsOf(await answer(await handler(post("/search", photo("frog")))));
  assertEquals((await find()).length, 4);
  {
    await using index = await EmbeddedIndex.create(path, MODEL);
    await using writer = await index.write();
    const vector = await vectorOf("frog");
    await writer.put("more", [{ path: "photos/frog.jpg", size: 1, sha256: "ff", vector }]);
  }
  const found = await find();
  assertEquals([found.length, found[0]], [5, "frog"]);
});

Deno.test("POST /search refuses what it cannot search for", async () => {
  await using served = await searching();
  const { handler } = served;
  const refuses = async (request: Request, status: number, detail: string) => {
    const response = await handler(request);
    assertEquals(response.status, status, detail);
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    assertStringIncludes((await response.json()).detail, detail);
  };
  const many = (count: number) => Array(count).fill("where=label=a").join("&");
  for (
    const [query, detail] of [
      ["top_k=0", "top_k is 0, not an integer above 0"],
      ["top_k=1.5", "top_k is 1.5"],
      ["top_k=1001", "top_k is 1001, not a number up to 1000"],
      ["where=size=3", 'where.0 is "size=3", not label=NAME or path=PATTERN'],
      ["where=label=a&where=label=", 'where.1 is "label=", not label=NAME or path=PATTERN'],
      [`where=label=${"x".repeat(251)}`, "not at most 256 characters"],
      [many(17), "where is 17, not at most 16 tests"],
      ["where=path=*a?[bc]*&where=path=*/x/*.???", "where has 9 of *, ? and [ in its patterns"],
      ["pool=mean", "pool is no parameter here"],
    ] as const
  ) await refuses(post(`/search?${query}`, SHIP), 400, detail);
  const inputs = SHIP.toBase64();
  await refuses(post("/search", { inputs, parameters: { where: "label=a" } }), 400, "where");
  await refuses(post("/search", "no image"), 415, "no image format known here");
  await refuses(get("/search"), 405, "POST");
  const most = [
    "where=path=*a?[bc]*&where=path=*/x/*.??&where=label=*",
    `where=label=${"x".repeat(250)}`,
  ];
  for (const query of ["top_k=1000", many(16), ...most]) {
    await answer(await handler(post(`/search?${query}`, SHIP)));
  }
});

Deno.test("without an index there is no POST /search, nor with other groups of routes", async () => {
  await using served = await searching({ routes: ["embed"] });
  for (const handler of [service(), served.handler]) {
    assertEquals((await handler(post("/search", SHIP))).status, 404);
    const { paths } = await (await handler(get("/openapi.json"))).json();
    assertEquals("/search" in paths, false);
  }
});

Deno.test("the OpenAPI document describes POST /search, and its example works", async () => {
  await using served = await searching();
  const { handler } = served;
  const { paths } = await (await handler(get("/openapi.json"))).json();
  const { post: operation } = paths["/search"];
  const names = operation.parameters.map(({ name }: { name: string }) => name);
  assertEquals(names, ["top_k", "where"]);
  assertEquals(operation.parameters[0].schema.maximum, 1000);
  const { example } = operation.requestBody.content["application/json"];
  assertEquals((await answer(await handler(post("/search", example)))).neighbours.length, 3);
  const metrics = await (await handler(get("/metrics"))).text();
  assertStringIncludes(metrics, 'vit_msn_http_requests_total{route="/search",status="200"} 1');
  assertMatch(metrics, /vit_msn_images_total 1/);
});

Deno.test("an index that fails is a matter of the service, and its log says why", async () => {
  const error = new Error("connection to 10.0.0.7 lost");
  const thrown = () => {
    throw error;
  };
  for (const search of [thrown, () => Promise.reject(error)]) {
    const errors: (string | undefined)[] = [];
    const index = { model: MODEL, search } as unknown as VectorIndex;
    const handler = service({ index, log: ({ error }) => errors.push(error) });
    const response = await handler(post("/search", SHIP));
    assertEquals([response.status, response.headers.get("retry-after")], [503, "5"]);
    assert(!(await response.text()).includes("10.0.0.7"));
    assertEquals(errors, [error.message]);
  }
});
