import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Ajv2020 } from "ajv/2020";
import openApiSchema from "@seriousme/openapi-schema-validator/schemas/v3.1/schema.json" with {
  type: "json",
};
import type { RequestLogEntry } from "../../src/http/handler.ts";
import type { RawImage } from "../../src/image/raw_image.ts";
import { ImageDecoder } from "../../src/image/image_decoder.ts";
import { jpegBomb } from "../image/hostile_files.ts";
import { get, post, service, SHIP } from "./service.ts";

const handler = service();

/** Takes its time, so that requests meet. */
class SlowDecoder extends ImageDecoder {
  override async decode(...args: Parameters<ImageDecoder["decode"]>): Promise<RawImage> {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return await super.decode(...args);
  }
}
const base64 = SHIP.toBase64();

Deno.test("POST /classify takes an image raw, in a form, in base64 and as a data URL", async () => {
  const form = new FormData();
  form.append("file", new Blob([SHIP]));
  form.append("top_k", "2");
  const requests = [
    post("/classify?top_k=2", SHIP),
    post("/classify?top_k=2", SHIP, { "content-type": "text/plain" }),
    post("/classify", form),
    post("/classify", { inputs: base64, parameters: { top_k: 2 } }),
    post("/classify", { inputs: `data:image/jpeg;base64,${base64}`, parameters: { top_k: 2 } }),
  ];
  const answers = await Promise.all(requests.map(async (request) => await handler(request)));
  const bodies = await Promise.all(answers.map((answer) => answer.json()));
  for (const body of bodies) assertEquals(body, bodies[0]);
  assertEquals([bodies[0].length, bodies[0][0].label], [2, "ship"]);
  assert(bodies[0][0].score > 0.9);
  assertMatch(answers[0]!.headers.get("server-timing")!, /decode;dur=.*inference;dur=/);
  assertMatch(answers[0]!.headers.get("x-request-id")!, /^[\w-]{8,}$/);
});

Deno.test("several images get a list of lists", async () => {
  const form = new FormData();
  for (const name of ["ship", "dog"]) {
    form.append("image", new Blob([await Deno.readFile(`test/images/${name}.jpg`)]));
  }
  const lists = await (await handler(post("/classify?top_k=1", form))).json();
  assertEquals(lists.map(([{ label }]: [{ label: string }]) => label), ["ship", "dog"]);
});

Deno.test("parameters of a classification do what they say", async () => {
  const ask = async (query: string) =>
    await (await handler(post(`/classify?${query}`, SHIP))).json();
  const all = await ask("top_k=10");
  assertEquals(all.length, 10);
  assertEquals((await ask("threshold=0.5")).length, 1);
  const two = await ask("labels=cat&labels=dog");
  assertEquals(two.map(({ label }: { label: string }) => label).toSorted(), ["cat", "dog"]);
  const logits = await ask("function_to_apply=none");
  assert(logits[0].score > 1);
  const sigmoid = await ask("function_to_apply=sigmoid");
  assert(Math.abs(sigmoid[0].score - 1 / (1 + Math.exp(-logits[0].score))) < 1e-6);
});

Deno.test("POST /embed gives vectors as numbers, in base64, shortened, normalised", async () => {
  const ask = async (query: string) => await (await handler(post(`/embed?${query}`, SHIP))).json();
  const { shape, embeddings: [vector] } = await ask("");
  assertEquals([shape, vector.length], [[1, 192], 192]);
  const short = await ask("dimensions=3&normalize=true");
  assertEquals(short.shape, [1, 3]);
  assert(Math.abs(Math.hypot(...short.embeddings[0]) - 1) < 1e-6);
  const bytes = Uint8Array.fromBase64((await ask("encoding_format=base64")).embeddings[0]);
  assertEquals([...new Float32Array(bytes.buffer)], vector.map(Math.fround));
  assertEquals((await ask("pool=none")).shape, [1, 65, 192]);
});

Deno.test("the Open Inference Protocol: health, metadata, pixel_values and images", async () => {
  assertEquals((await handler(get("/v2/health/live"))).status, 200);
  assertEquals(await (await handler(get("/v2/health/ready"))).json(), { ready: true });
  const { inputs } = await (await handler(get("/v2/models/vit-msn"))).json();
  assertEquals(inputs[0], { name: "pixel_values", datatype: "FP32", shape: [-1, 3, 32, 32] });
  const images = { name: "images", shape: [1], datatype: "BYTES", data: [base64] };
  const outputs = [{ name: "logits" }, { name: "embedding" }];
  const path = "/v2/models/vit-msn/infer";
  const answer = await (await handler(post(path, { id: "7", inputs: [images], outputs }))).json();
  assertEquals([answer.id, answer.model_name], ["7", "vit-msn"]);
  assertEquals(answer.outputs.map(({ shape }: { shape: number[] }) => shape), [[1, 10], [1, 192]]);
  const pixels = {
    name: "pixel_values",
    shape: [2, 3, 32, 32],
    datatype: "FP32",
    data: Array(2 * 3 * 32 * 32).fill(0),
  };
  const two = await (await handler(post(path, { inputs: [pixels] }))).json();
  assertEquals(two.outputs[0].shape, [2, 10]);
  assertEquals(two.outputs[0].data.slice(0, 10), two.outputs[0].data.slice(10));
});

/** Requests that are wrong, with the status and some words of the answer. */
const WRONG: [what: string, request: () => Request, status: number, words: string][] = [
  ["nothing", () => post("/classify", new Uint8Array()), 400, "no image"],
  ["a text", () => post("/classify", "hello"), 415, "no image format known"],
  ["an SVG", () => post("/classify", "<svg/>"), 415, "SVG"],
  ["half a JPEG", () => post("/classify", SHIP.slice(0, 3000)), 422, "Cannot decode"],
  ["a bomb", () => post("/classify", jpegBomb(60000, 60000, false).slice()), 422, "Cannot decode"],
  [
    "no JSON",
    () => post("/classify", "{", { "content-type": "application/json" }),
    400,
    "not JSON",
  ],
  ["a list", () => post("/classify", "[]", { "content-type": "application/json" }), 400, "object"],
  ["no inputs", () => post("/classify", {}), 400, "inputs is missing"],
  ["odd inputs", () => post("/classify", { inputs: 7 }), 400, "inputs is 7"],
  ["no base64", () => post("/classify", { inputs: "!" }), 400, "neither base64 nor"],
  ["a member too many", () => post("/classify", { inputs: base64, x: 1 }), 400, "no parameter"],
  ["a URL", () => post("/classify", { inputs: "https://example.com/a.png" }), 400, "not fetched"],
  ["top_k 0", () => post("/classify?top_k=0", SHIP), 400, "top_k"],
  ["top_k twice", () => post("/classify?top_k=1&top_k=2", SHIP), 400, "more than once"],
  ["a strange label", () => post("/classify?labels=yeti", SHIP), 400, "yeti"],
  ["unknown", () => post("/classify?unknown=true", SHIP), 400, "cannot tell unknown"],
  ["no such parameter", () => post("/classify?color=red", SHIP), 400, "color is no parameter"],
  ["too many dimensions", () => post("/embed?dimensions=193", SHIP), 400, "193"],
  ["no form", () => post("/classify", "x", { "content-type": "multipart/form-data" }), 400, "form"],
  ["another model", () => post("/v1/embeddings", { input: base64, model: "x" }), 404, "no model"],
  ["another model", () => get("/v2/models/x/ready"), 404, "no model"],
  [
    "a wrong shape",
    () =>
      post("/v2/models/vit-msn/infer", {
        inputs: [{ name: "pixel_values", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] }],
      }),
    400,
    "not FP32 [batch, 3, 32, 32]",
  ],
  [
    "no numbers",
    () =>
      post("/v2/models/vit-msn/infer", {
        inputs: [{ name: "images", shape: [1], datatype: "BYTES", data: [7] }],
      }),
    400,
    "list of images in base64",
  ],
  ["nowhere", () => get("/nowhere"), 404, "nothing here"],
  ["a wrong method", () => get("/classify"), 405, "POST"],
];

for (const [what, request, status, words] of WRONG) {
  Deno.test(`${what} is answered ${status}, and says why and nothing else`, async () => {
    const response = await handler(request());
    const text = await response.text();
    assertEquals(response.status, status, text);
    assertStringIncludes(text, words);
    assert(!/\bat \w|\.ts\b|\.js\b|file:|\/src\/|node_modules|Error:/.test(text), text);
    const { pathname } = new URL(request().url);
    const body = JSON.parse(text);
    if (pathname.startsWith("/v1/")) assertEquals(typeof body.error.message, "string");
    else assertEquals(typeof body.error, "string");
    if (status === 405) assertEquals(response.headers.get("allow"), "POST");
  });
}

Deno.test("an error inside says nothing of it to the client, and all to the log", async () => {
  const entries: RequestLogEntry[] = [];
  const broken = service({
    model: () => Promise.reject(new Error("secret /etc/path")),
    log: (entry) => entries.push(entry),
  });
  const response = await broken(post("/classify", SHIP, { "x-request-id": "abc-123" }));
  assertEquals([response.status, response.headers.get("x-request-id")], [500, "abc-123"]);
  assert(!(await response.text()).includes("secret"));
  assertEquals([entries[0]?.error, entries[0]?.id, entries[0]?.route], [
    "secret /etc/path",
    "abc-123",
    "/classify",
  ]);
});

Deno.test("an answer to a POST has no ETag: If-None-Match is for GET", async () => {
  const headers = { "if-none-match": "*" };
  const response = await handler(post("/classify", SHIP, headers));
  assertEquals([response.status, response.headers.get("etag")], [200, null]);
});

Deno.test("with keys, only requests with one are answered, but health is", async () => {
  const guarded = service({ apiKeys: ["right-key", "other"] });
  const ask = async (headers: Record<string, string>) =>
    (await guarded(post("/classify", SHIP, headers))).status;
  assertEquals(await ask({}), 401);
  for (
    const key of ["Bearer wrong", "Bearer", "Basic cmlnaHQ6a2V5", "right-key", "Bearer a b", "\t"]
  ) {
    assertEquals(await ask({ authorization: key }), 401, key);
  }
  assertEquals(await ask({ authorization: "Bearer right-key" }), 200);
  assertEquals((await guarded(get("/v2/health/live"))).status, 200);
  assertEquals((await guarded(get("/metrics"))).status, 401);
});

Deno.test("pages of other origins may use it where they are allowed to", async () => {
  const open = service({ allowOrigins: ["https://a.test"] });
  const origin = async (own: string) =>
    (await open(get("/v2/health/live", { origin: own }))).headers.get(
      "access-control-allow-origin",
    );
  assertEquals([await origin("https://a.test"), await origin("https://b.test")], [
    "https://a.test",
    null,
  ]);
});

Deno.test("limits are kept: bytes however they are declared, images, those on their way", async () => {
  const small = service({ limits: { maxBodyBytes: 1000, maxImages: 2 } });
  assertEquals((await small(post("/classify", SHIP))).status, 413);
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(400));
    },
  });
  assertEquals((await small(post("/classify", endless))).status, 413);
  assert(pulled < 10, `${pulled}`);
  const three = await small(post("/classify", { inputs: ["", "", ""] }));
  assertEquals(three.status, 413);
  const narrow = service({ limits: { maxWaiting: 1 }, decoder: new SlowDecoder({ workers: 0 }) });
  const statuses = await Promise.all(
    [1, 2, 3].map(async () => await narrow(post("/classify", SHIP))),
  );
  assertEquals(statuses.map(({ status }) => status).toSorted(), [200, 429, 429]);
  const refused = statuses.find(({ status }) => status === 429)!;
  assertMatch(refused.headers.get("retry-after")!, /^\d+$/);
});

Deno.test("an upload that stalls, and a model that does not come, end at the deadline", async () => {
  const quick = service({ limits: { timeout: 100 } });
  const stalled = new ReadableStream<Uint8Array>({ start: (c) => c.enqueue(new Uint8Array(3)) });
  assertEquals((await quick(post("/classify", stalled))).status, 408);
  const waiting = service({ limits: { timeout: 100 }, model: () => new Promise(() => {}) });
  const response = await waiting(post("/classify", SHIP));
  assertEquals([response.status, response.headers.get("retry-after")], [503, "5"]);
});

Deno.test("metrics count what was answered", async () => {
  const own = service();
  await own(post("/classify", SHIP));
  await own(get("/nowhere/" + "x".repeat(50)));
  const text = await (await own(get("/metrics"))).text();
  assertStringIncludes(text, `vit_msn_http_requests_total{route="/classify",status="200"} 1`);
  assertStringIncludes(text, `vit_msn_http_requests_total{route="*",status="404"} 1`);
  assertStringIncludes(text, "vit_msn_images_total 1\n");
  assert(!text.includes("xxx"));
});

Deno.test("GET / says how to call it", async () => {
  const response = await handler(get("/"));
  assertMatch(response.headers.get("content-type")!, /text\/html/);
  assertStringIncludes(
    await response.text(),
    "curl --data-binary @photo.jpg http://service.test/classify",
  );
});

Deno.test("the OpenAPI document is valid, and its examples work", async () => {
  const document = await (await handler(get("/openapi.json"))).json();
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  assert(ajv.validate(openApiSchema, document), JSON.stringify(ajv.errors));
  assert(!ajv.validate(openApiSchema, { ...document, paths: 7 }));
  let examples = 0;
  for (
    const [path, methods] of Object.entries<Record<string, Record<string, unknown>>>(document.paths)
  ) {
    for (const [method, operation] of Object.entries(methods)) {
      const { parameters, requestBody } = operation as {
        parameters: { in: string; name: string; example?: string }[];
        requestBody?: { content: Record<string, { example?: object }> };
      };
      const concrete = parameters.filter((parameter) => parameter.in === "path").reduce(
        (text, { name, example }) => text.replace(`{${name}}`, example!),
        path,
      );
      const example = requestBody?.content["application/json"]?.example;
      const request = method === "get" ? get(concrete) : post(concrete, example!);
      const response = await handler(request);
      assertEquals(response.status, 200, `${method} ${concrete}: ${await response.clone().text()}`);
      await response.body?.cancel();
      examples++;
    }
  }
  assert(examples > 10);
});

Deno.test("a function may have some of the routes only", async () => {
  const only = service({ routes: ["embed"] });
  assertEquals((await only(post("/classify", SHIP))).status, 404);
  assertEquals((await only(post("/embed", SHIP))).status, 200);
});
