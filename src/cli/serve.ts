import { pageInWorker } from "../build/web/page_in_worker.ts";
import { commaList } from "../http/comma_list.ts";
import { createHandler } from "../http/handler.ts";
import { DEFAULT_CONNECTION_LIMITS } from "../http/request/connections.ts";
import { runServer, SHUTDOWN_TIMEOUT } from "../http/request/run_server.ts";
import { processors } from "../host/processors.ts";
import { DECODE_MODES } from "../image/decode_options.ts";
import { ImageDecoder } from "../image/image_decoder.ts";
import { sha256 } from "../tensor/sha256.ts";
import { DEFAULT_SERVER_LIMITS } from "../http/limits.ts";
import { choiceOption, type Command, numberOption, UsageError } from "./command.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { main } from "./main.ts";
import { pageHandler } from "./page_handler.ts";
import { DECODE_OPTION } from "./options/decode_option.ts";
import { dbOption, indexedModelOf } from "./options/index_option.ts";
import { HEAD_OPTION, MODEL_OPTIONS, openModelOption } from "./options/model_option.ts";
import { openIndex } from "./options/open_index.ts";
import { RUNTIME_OPTIONS } from "./options/runtime_option.ts";

/** With more threads than this, sharing one image mostly adds waiting. */
const MAX_DEFAULT_THREADS = 8;

const options = {
  host: {
    value: "ADDRESS",
    help: "The address to listen on; default 127.0.0.1; 0.0.0.0 listens on all",
  },
  port: { value: "N", help: "The port to listen on; default 8000; 0 picks a free port" },
  ...MODEL_OPTIONS,
  ...HEAD_OPTION,
  ...RUNTIME_OPTIONS,
  decode: DECODE_OPTION,
  threads: {
    value: "N",
    help: "Compute in N threads (simd): one per image, or all on a single image; " +
      `default is the number of cores, up to ${MAX_DEFAULT_THREADS}`,
  },
  db: {
    value: "DB",
    help:
      "Answer POST /search from this index, a SQLite file or postgres://…, as `deno task index` keeps it up " +
      "to date; the model must be the one that made it, and images are decoded and pooled as it says",
  },
  name: { value: "NAME", help: "The model name in requests and responses; default vit-msn" },
  "api-key-file": {
    value: "FILE",
    help: "Require a key from this file, one per line, sent as Authorization: Bearer KEY",
  },
  "allow-origin": {
    value: "ORIGIN",
    help:
      "Allow CORS requests from these origins, comma-separated, such as https://example.com; * allows all",
  },
  "allow-url-host": {
    value: "HOST",
    help: "Allow image URLs (https) on these hosts, comma-separated; default none",
  },
  "max-body-mb": { value: "N", help: "Largest request body, in MB; default 20" },
  "max-images": { value: "N", help: "Most images in a request; default 32" },
  "max-waiting": {
    value: "N",
    help: "Most images in progress; further requests get 429; default 64",
  },
  "max-connections": {
    value: "N",
    help: "Most open connections; a further one closes the least active; default " +
      DEFAULT_CONNECTION_LIMITS.maxConnections,
  },
  "max-decode-mb": {
    value: "N",
    help:
      "Most memory for decoding an image, in MB; default 240: enough for JPEGs of 24 megapixels, or PNG, WebP and progressive JPEGs of 15",
  },
  "max-attention-mb": {
    value: "N",
    help: "Most memory for the attentions of an image, in MB; default 64: enough for ViT-L/16",
  },
  timeout: {
    value: "SECONDS",
    help: "Time limit of a request, two thirds of it for receiving the body; default 30",
  },
  "no-page": { help: "Serve no page in which browsers classify and teach, but a plain one" },
  quiet: { help: "Do not log requests" },
};

/** `deno task serve`: runs the HTTP service. */
export const serve: Command<typeof options> = {
  name: "serve",
  usage: "",
  description:
    "Serves classification and embeddings over HTTP, with OpenAI's and the Open Inference Protocol's\n" +
    "routes too; GET /docs and GET /openapi.json describe them. GET / is a page that classifies,\n" +
    "explains and teaches in the browser, by itself and with the embedded model; it is bundled in\n" +
    "seconds, at once in a terminal, else at the first visit. Ctrl-C finishes the requests in progress,\n" +
    `within ${SHUTDOWN_TIMEOUT / 1000} seconds, and exits.`,
  options,
  examples: [
    ["", "On http://127.0.0.1:8000, with the embedded model"],
    [
      "--model my.onnx --port 3000 --api-key-file keys.txt",
      "A model made by `deno task fit`, with API keys",
    ],
    ["--db photos.sqlite", "Also finds images of an index: POST /search"],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`unexpected argument ${positional[0]}`);
    const count = (
      name:
        | "max-body-mb"
        | "max-images"
        | "max-waiting"
        | "max-connections"
        | "max-decode-mb"
        | "max-attention-mb"
        | "timeout",
      otherwise: number,
    ) => numberOption(name, values[name], { otherwise, min: 1, max: 10_000, integer: true });
    const port = numberOption("port", values.port, {
      otherwise: 8000,
      min: 0,
      max: 65_535,
      integer: true,
    });
    const cores = Math.min(processors(), MAX_DEFAULT_THREADS);
    const maxBodyBytes = count("max-body-mb", 20) * 1_000_000;
    const timeout = count("timeout", 30) * 1000;
    const limits = {
      ...DEFAULT_SERVER_LIMITS,
      maxBodyBytes,
      maxDecodeBytes: count("max-decode-mb", 240) * 1_000_000,
      maxAttentionBytes: count("max-attention-mb", 64) * 1_000_000,
      maxUploadBytes: Math.max(3 * maxBodyBytes, 60_000_000),
      maxImages: count("max-images", 32),
      maxWaiting: count("max-waiting", 64),
      timeout,
      uploadTimeout: Math.round(timeout * 2 / 3),
    };
    const maxConnections = count("max-connections", DEFAULT_CONNECTION_LIMITS.maxConnections);
    const apiKeys = values["api-key-file"] === undefined
      ? []
      : await readKeys(values["api-key-file"]);
    const log = (message: string) => terminal.stderr.write(`serve: ${message}\n`);
    await using index = values.db === undefined
      ? undefined
      : await openIndex(dbOption(values.db), { onDamage: log });
    const decode = choiceOption("decode", values.decode ?? index?.model.decode, DECODE_MODES);
    const { file, model } = await openModelOption(values, terminal, cores);
    await using _model = model;
    if (index) {
      const { pool } = index.model;
      const name = values.model ?? "";
      await index.assertModel(await indexedModelOf(file, { name, pool, decode }));
    }
    using decoder = new ImageDecoder();
    const service = createHandler({
      model: { model, sha256: await sha256(file.bytes) },
      decoder,
      decode,
      limits,
      ...(index ? { index } : {}),
      apiKeys,
      ...(values.name === undefined ? {} : { name: values.name }),
      allowOrigins: commaList(values["allow-origin"]),
      remoteImages: { hosts: commaList(values["allow-url-host"]) },
      ...(values.quiet
        ? {}
        : { log: (entry) => terminal.stdout.write(`${JSON.stringify(entry)}\n`) }),
    });
    const handler = values["no-page"] ? service : pageHandler(service, pageInWorker, log);
    // Somebody is there, and will open it.
    if (terminal.stderr.isTerminal) void handler(new Request("http://localhost/"));
    const hostname = values.host ?? "127.0.0.1";
    try {
      const inTime = await runServer(handler, {
        hostname,
        port,
        limits: { maxConnections },
        log,
      });
      return inTime ? 0 : 1;
    } catch (error) {
      throw new Error(`Cannot listen on ${hostname}:${port}: ${listenErrorMessage(error)}`);
    }
  },
};

function listenErrorMessage(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "the port is in use";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  return readErrorMessage(error);
}

/** Reads keys from a file, one per line; skips empty lines and lines that begin with #. */
async function readKeys(path: string): Promise<string[]> {
  let text;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new Error(`${path}: ${readErrorMessage(error)}`);
  }
  const keys = text.split("\n").map((line) => line.trim()).filter((line) => /^[^#]/.test(line));
  const wrong = keys.findIndex((key) => !/^[A-Za-z0-9._~+/-]+=*$/.test(key));
  if (wrong !== -1) {
    throw new Error(
      `${path}: key ${wrong + 1} has characters that are not allowed in a Bearer token`,
    );
  }
  if (keys.length === 0) throw new Error(`${path}: it contains no key`);
  return keys;
}

if (import.meta.main) await main(serve);
