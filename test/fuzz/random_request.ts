import { uniform } from "../random.ts";
import { FINDINGS } from "./findings.ts";
import { form, post, type RawRequest, requestBytes } from "./raw_request.ts";

const SHIP = await Deno.readFile("test/images/ship.jpg");
const DOG = await Deno.readFile("test/images/dog.jpg");
const PIXEL = Uint8Array.fromBase64("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=");
const IMAGES = [SHIP, DOG, PIXEL];

const PATHS = [
  "/classify",
  "/embed",
  "/attention",
  "/v1/embeddings",
  "/v1/models",
  "/v1/models/vit-msn",
  "/v2",
  "/v2/health/live",
  "/v2/health/ready",
  "/v2/models/vit-msn",
  "/v2/models/vit-msn/infer",
  "/metrics",
  "/openapi.json",
  "/",
];
const METHODS = [
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "OPTIONS",
  "DELETE",
  "PATCH",
  "TRACE",
  "FOO",
  "get",
  "",
];
const PARAMETERS = [
  "top_k",
  "threshold",
  "function_to_apply",
  "labels",
  "unknown",
  "pool",
  "normalize",
  "dimensions",
  "encoding_format",
  "head",
  "layer",
  "rollout",
  "keep_patches",
  "seed",
  "__proto__",
  "constructor",
  "",
];
const VALUES = [
  "1",
  "0",
  "-1",
  "3",
  "1e999",
  "NaN",
  "true",
  "ship",
  "softmax",
  "none",
  "mean",
  "base64",
  "%00",
  "%ff",
  "%",
  "\u2603",
  "",
];
/** Of a finding, so that many requests can be sent. */
const MAX_BYTES = 200_000;
const SHORT_FINDINGS = FINDINGS.map(({ request }) => {
  const whole = request();
  return { ...whole, body: whole.body.slice(0, MAX_BYTES) };
});

/** Requests of a seed: the same seed gives the same ones. */
export class RandomRequests {
  readonly #seed: number;
  #random: () => number = uniform(0);

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The bytes of the request with a number. */
  bytes(index: number): Uint8Array {
    this.#random = uniform(this.#seed * 1_000_003 + index);
    const bytes = requestBytes(this.#mutated(this.#request()));
    return this.#chance(0.1) ? this.#damaged(bytes) : bytes;
  }

  #int(end: number): number {
    return Math.floor(this.#random() * end);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#int(items.length)]!;
  }

  #list<T>(max: number, item: () => T): T[] {
    return Array.from({ length: this.#int(max + 1) }, item);
  }

  #request(): RawRequest {
    const image = this.#pick(IMAGES);
    switch (this.#int(7)) {
      case 0:
        return { method: "GET", path: this.#pick(PATHS), headers: [], body: new Uint8Array() };
      case 1:
        return post(this.#pick(["/classify", "/embed"]) + this.#query(), image);
      case 2:
        return form(
          this.#pick(["/classify", "/embed"]),
          this.#list(
            4,
            () =>
              this.#chance(0.6)
                ? ['name="image"; filename="a"', this.#pick(IMAGES)] as const
                : [`name="${this.#pick(PARAMETERS)}"`, this.#pick(VALUES)] as const,
          ),
        );
      case 3:
        return post(this.#pick(["/classify", "/embed"]), {
          inputs: this.#json(2),
          parameters: this.#json(3),
        });
      case 4:
        return post("/v1/embeddings", {
          input: this.#chance(0.5) ? image.toBase64() : this.#json(3),
          model: this.#chance(0.8) ? "vit-msn" : this.#json(1),
          ...this.#object(1),
        });
      case 5:
        return post("/v2/models/vit-msn/infer", {
          inputs: this.#list(2, () => this.#input()),
          ...(this.#chance(0.5) ? { outputs: this.#list(3, () => this.#output()) } : {}),
          ...(this.#chance(0.2) ? this.#object(2) : {}),
        });
      default:
        return this.#pick(SHORT_FINDINGS);
    }
  }

  #input(): unknown {
    const isPixels = this.#chance(0.5);
    const image = this.#pick(IMAGES).toBase64();
    return {
      name: this.#chance(0.9) ? (isPixels ? "pixel_values" : "images") : this.#json(1),
      shape: this.#chance(0.8) ? (isPixels ? [1, 3, 32, 32] : [1]) : this.#json(2),
      datatype: this.#chance(0.9) ? (isPixels ? "FP32" : "BYTES") : this.#json(1),
      data: this.#chance(0.8)
        ? (isPixels ? Array.from({ length: 3072 }, () => this.#random()) : [image])
        : this.#json(3),
    };
  }

  #output(): unknown {
    return { name: this.#chance(0.8) ? this.#pick(["logits", "embedding"]) : this.#json(1) };
  }

  #query(): string {
    const pairs = this.#list(4, () => `${this.#pick(PARAMETERS)}=${this.#pick(VALUES)}`);
    return pairs.length === 0 ? "" : `?${encodeURI(pairs.join("&"))}`;
  }

  #json(depth: number): unknown {
    switch (this.#int(depth > 0 ? 9 : 7)) {
      case 0:
        return null;
      case 1:
        return this.#chance(0.5);
      case 2:
        return this.#pick([0, 1, -1, 1e300, 1e-300, 2 ** 53, 0.5]);
      case 3:
        return this.#pick(VALUES);
      case 4:
        return this.#pick(IMAGES).toBase64();
      case 5:
        return `data:image/png;base64,${this.#pick(IMAGES).toBase64()}`;
      case 6:
        return "x".repeat(this.#int(1000));
      case 7:
        return this.#list(5, () => this.#json(depth - 1));
      default:
        return this.#object(depth);
    }
  }

  #object(depth: number): Record<string, unknown> {
    return Object.fromEntries(
      this.#list(4, () => [this.#pick(PARAMETERS), this.#json(depth - 1)] as const),
    );
  }

  #mutated(request: RawRequest): RawRequest {
    let { method, path, headers, body, chunkSize } = request;
    if (this.#chance(0.05)) method = this.#pick(METHODS);
    if (this.#chance(0.05)) path = this.#pick(["*", "//", "/%", "/..", "http://a/b", "/\u2603"]);
    if (this.#chance(0.05)) path += this.#pick(["?", "?%", "?a=%E0%A4%A", "#x", "/", "?&&&="]);
    if (this.#chance(0.1)) headers = [...headers, this.#header()];
    if (this.#chance(0.05)) body = body.subarray(0, this.#int(body.length + 1));
    if (this.#chance(0.05) && body.length > 0) {
      body = body.slice();
      for (let i = 0; i < 5; i++) body[this.#int(body.length)] = this.#int(256);
    }
    if (this.#chance(0.2)) chunkSize = this.#pick([1, 7, 100, 65_536]);
    return { method, path, headers, body, ...(chunkSize === undefined ? {} : { chunkSize }) };
  }

  #header(): [string, string] {
    return this.#pick<[string, string]>([
      ["content-type", this.#pick(["application/json", "multipart/form-data", "text/plain", ";"])],
      ["content-length", this.#pick(["0", "5", "-1", "x", "99999999999"])],
      ["transfer-encoding", this.#pick(["chunked", "gzip", "identity"])],
      ["host", this.#pick(["", 'a"><b', "a:b", "[::1", "a b"])],
      ["expect", "100-continue"],
      ["connection", this.#pick(["close", "upgrade", "keep-alive"])],
      ["authorization", this.#pick(["Bearer x", "Bearer", "Basic eA=="])],
      ["origin", "https://a.test"],
      ["x-request-id", this.#pick(["a", "\u00e9", "x".repeat(300)])],
      ["x-long", "y".repeat(this.#int(20_000))],
      ["", "no name"],
    ]);
  }

  /** Some bytes are others, or the end is missing. */
  #damaged(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    const head = Math.min(copy.length, 300);
    for (let i = 0; i < 3; i++) copy[this.#int(head)] = this.#int(256);
    return this.#chance(0.3) ? copy.subarray(0, this.#int(copy.length)) : copy;
  }
}
