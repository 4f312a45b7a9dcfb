// Requests that took a service down once, or could: none may take much memory or time.

import { form, post, type RawRequest } from "./raw_request.ts";

/** A finding, and what is answered today. */
export interface Finding {
  readonly name: string;
  readonly request: () => RawRequest;
  readonly status: number;
}

const SHIP = await Deno.readFile("test/images/ship.jpg");
const BASE64 = SHIP.toBase64();
const INFER = "/v2/models/vit-msn/infer";
/** A little below the limit of 20,000,000 bytes. */
const ALMOST_20_MB = 19_900_000;

const imagesInput = { name: "images", shape: [1], datatype: "BYTES", data: [BASE64] };

/** JSON of an input of pixel values, with the text of its data. */
function pixelValues(shape: readonly number[], data: string): string {
  return `{"inputs":[{"name":"pixel_values","shape":[${shape}],"datatype":"FP32","data":[${data}]}]}`;
}

function manyKeys(count: number): object {
  const keys = Array.from({ length: count }, (_, i) => [`k${i}`, i]);
  return { inputs: BASE64, parameters: Object.fromEntries(keys) };
}

/** Every finding. */
export const FINDINGS: readonly Finding[] = [
  // A chunk of one byte once kept a buffer of 64 kB.
  {
    name: "30,000 chunks of a byte",
    request: () => ({ ...post("/classify", new Uint8Array(30_000)), chunkSize: 1 }),
    status: 400,
  },
  {
    name: "200,000 chunks of a byte",
    request: () => ({ ...post("/classify", new Uint8Array(200_000)), chunkSize: 1 }),
    status: 400,
  },
  {
    name: "20 MB in chunks of 4 bytes",
    request: () => ({ ...post("/classify", new Uint8Array(ALMOST_20_MB)), chunkSize: 4 }),
    status: 400,
  },
  {
    name: "an image in chunks of 100 bytes",
    request: () => ({ ...post("/classify", SHIP), chunkSize: 100 }),
    status: 200,
  },
  // Outputs were unlimited and could be repeated.
  {
    name: "an output twice",
    request: () =>
      post(INFER, { inputs: [imagesInput], outputs: Array(2).fill({ name: "logits" }) }),
    status: 400,
  },
  {
    name: "100,000 outputs",
    request: () =>
      post(INFER, { inputs: [imagesInput], outputs: Array(100_000).fill({ name: "logits" }) }),
    status: 413,
  },
  {
    name: "900,000 outputs",
    request: () =>
      post(INFER, { inputs: [imagesInput], outputs: Array(900_000).fill({ name: "logits" }) }),
    status: 413,
  },
  // Time grew with the square of the number of parameters.
  { name: "100,000 keys", request: () => post("/classify", manyKeys(100_000)), status: 413 },
  { name: "a million keys", request: () => post("/classify", manyKeys(1_000_000)), status: 413 },
  {
    name: "a URL of 60 kB",
    request: () => post(`/classify?${"a&".repeat(30_000)}`, SHIP),
    status: 431,
  },
  {
    name: "a URL of 15 kB",
    request: () => post(`/classify?${"a&".repeat(7500)}`, SHIP),
    status: 414,
  },
  {
    name: "a URL of 8 kB",
    request: () => post(`/classify?${"a&".repeat(4000)}`, SHIP),
    status: 400,
  },
  {
    name: "30,000 fields of a form",
    request: () =>
      form("/classify", Array.from({ length: 30_000 }, (_, i) => [`name="f${i}"`, "v"] as const)),
    status: 413,
  },
  {
    name: "2,000 fields of a form",
    request: () =>
      form("/classify", Array.from({ length: 2000 }, (_, i) => [`name="f${i}"`, "v"] as const)),
    status: 400,
  },
  // JSON was parsed whatever it was.
  { name: "18 MB of [", request: () => post("/classify", "[".repeat(18_000_000)), status: 415 },
  {
    name: "18 MB of {[",
    request: () => post("/classify", `{"inputs":${"[".repeat(18_000_000)}`),
    status: 400,
  },
  {
    name: "18 MB of [ as JSON",
    request: () => post("/v1/embeddings", "[".repeat(18_000_000)),
    status: 400,
  },
  {
    name: "100,000 levels",
    request: () =>
      post(INFER, pixelValues([1, 3, 32, 32], "[".repeat(100_000) + "]".repeat(100_000))),
    status: 400,
  },
  {
    name: "1e999",
    request: () => post(INFER, pixelValues([1, 3, 32, 32], Array(3072).fill("1e999").join())),
    status: 400,
  },
  {
    name: "numbers that overflow in the model",
    request: () => post(INFER, pixelValues([1, 3, 32, 32], Array(3072).fill("3e38").join())),
    status: 400,
  },
  {
    name: "a threshold of 1e999",
    request: () => post("/classify", `{"inputs":"${BASE64}","parameters":{"threshold":1e999}}`),
    status: 400,
  },
  {
    name: "10 million numbers",
    request: () => post(INFER, pixelValues([32, 3, 32, 32], `${"0,".repeat(9_900_000)}0`)),
    status: 413,
  },
  {
    name: "as many numbers as are allowed",
    request: () =>
      post(INFER, pixelValues([32, 3, 32, 32], `${"0.123456789012345678,".repeat(98_303)}0`)),
    status: 200,
  },
  {
    name: "20 MB of spaces",
    request: () => post("/classify", " ".repeat(ALMOST_20_MB)),
    status: 415,
  },
  {
    name: "20 MB of spaces in JSON",
    request: () => post("/classify", `{"inputs":"${BASE64}"${" ".repeat(ALMOST_20_MB - 50_000)}}`),
    status: 413,
  },
  {
    name: "20 MB of escapes",
    request: () => post("/classify", `{"inputs":"${"\\u0041".repeat(3_300_000)}"}`),
    status: 415,
  },
  {
    name: "20 MB of per cent escapes",
    request: () => post("/classify", `{"inputs":"${"%41".repeat(6_600_000)}"}`),
    status: 415,
  },
  {
    name: "20 MB of base64",
    request: () => post("/classify", { inputs: new Uint8Array(14_900_000).toBase64() }),
    status: 415,
  },
  {
    name: "a key of 20 MB",
    request: () => post("/classify", `{"${"k".repeat(ALMOST_20_MB)}":1}`),
    status: 400,
  },
  {
    name: "a file of 20 MB in a form",
    request: () => form("/classify", [[`name="a"; filename="b"`, new Uint8Array(ALMOST_20_MB)]]),
    status: 415,
  },
  {
    name: "20 MB of what looks like boundaries",
    request: () =>
      form("/classify", [[`name="a"; filename="b"`, "\r\n--a-boundar".repeat(1_500_000)]]),
    status: 415,
  },
  {
    name: "every token of 32 images",
    request: () => form("/embed?pool=none", Array(32).fill([`name="a"; filename="b"`, SHIP])),
    status: 200,
  },
  // Small ones that were answered with the wrong status.
  {
    name: "a malformed Host",
    request: () => ({
      method: "GET",
      path: "/",
      headers: [["host", 'a"><b']],
      body: new Uint8Array(),
    }),
    status: 400,
  },
  { name: "top_k Infinity", request: () => post("/classify?top_k=Infinity", SHIP), status: 400 },
  {
    name: "a path that is an address",
    request: () => ({ ...post("http://[bad/classify", SHIP) }),
    status: 400,
  },
  {
    name: "a declared gigabyte",
    request: () => post("/classify", SHIP, { "content-length": "1000000000" }),
    status: 413,
  },
];
