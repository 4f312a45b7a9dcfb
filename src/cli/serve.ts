import { commaList } from "../http/comma_list.ts";
import { createHandler } from "../http/handler.ts";
import { DEFAULT_CONNECTION_LIMITS } from "../http/request/connections.ts";
import { runServer, SHUTDOWN_TIMEOUT } from "../http/request/run_server.ts";
import { DECODE_MODES } from "../image/decode_options.ts";
import { ImageDecoder } from "../image/image_decoder.ts";
import { sha256 } from "../tensor/sha256.ts";
import { DEFAULT_LIMITS } from "../http/limits.ts";
import { choiceOption, type Command, numberOption, UsageError } from "./command.ts";
import { readErrorMessage } from "../hub/file_error.ts";
import { main } from "./main.ts";
import { DECODE_OPTION } from "./options/decode_option.ts";
import { HEAD_OPTION, MODEL_OPTIONS, openModelOption } from "./options/model_option.ts";
import { RUNTIME_OPTIONS } from "./options/runtime_option.ts";

/** So many threads can share a single image without much waiting for one another. */
const MAX_DEFAULT_THREADS = 8;

const options = {
  host: { value: "ADDRESS", help: "The address to listen on; default 127.0.0.1, all: 0.0.0.0" },
  port: { value: "N", help: "The port to listen on; default 8000, 0 takes any that is free" },
  ...MODEL_OPTIONS,
  ...HEAD_OPTION,
  ...RUNTIME_OPTIONS,
  decode: DECODE_OPTION,
  threads: {
    value: "N",
    help: "Compute in N threads (simd): of several images each takes its own, a single one they " +
      `share; default is the number of cores, up to ${MAX_DEFAULT_THREADS}`,
  },
  name: { value: "NAME", help: "The model's name towards clients; default vit-msn" },
  "api-key-file": {
    value: "FILE",
    help: "Answer only requests with a key of this file, one a line, as Authorization: Bearer",
  },
  "allow-origin": {
    value: "ORIGIN",
    help: "Whose pages may use the service: https://example.com, several with commas, or *",
  },
  "allow-url-host": {
    value: "HOST",
    help: "Fetch images from https URLs of this host, several with commas; default none",
  },
  "max-body-mb": { value: "N", help: "Of a request's body; default 20" },
  "max-images": { value: "N", help: "In a request; default 32" },
  "max-waiting": { value: "N", help: "Images on their way; more are answered 429; default 64" },
  "max-connections": {
    value: "N",
    help: "Open connections; when one more comes, the one that does least is closed; default " +
      DEFAULT_CONNECTION_LIMITS.maxConnections,
  },
  "max-decode-mb": {
    value: "N",
    help:
      "Memory that decoding an image may take; default 240: JPEGs of 24 megapixels, PNG, WebP and progressive JPEGs of 15",
  },
  timeout: { value: "SECONDS", help: "Of a request, two thirds of it for its body; default 30" },
  quiet: { help: "Log no requests" },
};

/** `deno task serve`: answers requests over HTTP. */
export const serve: Command<typeof options> = {
  name: "serve",
  usage: "",
  description:
    "Answers requests over HTTP: classification, embeddings, OpenAI's and the Open Inference\n" +
    "Protocol's routes. GET / and GET /openapi.json say more. Ctrl-C ends it, after what it has begun:\n" +
    `that takes ${SHUTDOWN_TIMEOUT / 1000} seconds at most.`,
  options,
  examples: [
    ["", "On http://127.0.0.1:8000, with the embedded model"],
    ["--model my.onnx --port 3000 --api-key-file keys.txt", "A model of `deno task fit`"],
  ],
  async run(positional, values, terminal) {
    if (positional.length > 0) throw new UsageError(`it takes no argument ${positional[0]}`);
    const count = (
      name:
        | "max-body-mb"
        | "max-images"
        | "max-waiting"
        | "max-connections"
        | "max-decode-mb"
        | "timeout",
      otherwise: number,
    ) => numberOption(name, values[name], { otherwise, min: 1, max: 10_000, integer: true });
    const port = numberOption("port", values.port, {
      otherwise: 8000,
      min: 0,
      max: 65_535,
      integer: true,
    });
    const cores = Math.min(navigator.hardwareConcurrency, MAX_DEFAULT_THREADS);
    const maxBodyBytes = count("max-body-mb", 20) * 1_000_000;
    const timeout = count("timeout", 30) * 1000;
    const limits = {
      ...DEFAULT_LIMITS,
      maxBodyBytes,
      maxDecodeBytes: count("max-decode-mb", 240) * 1_000_000,
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
    const { file, model } = await openModelOption(values, terminal, cores);
    await using _model = model;
    using decoder = new ImageDecoder();
    const handler = createHandler({
      model: { model, sha256: await sha256(file.bytes) },
      decoder,
      decode: choiceOption("decode", values.decode, DECODE_MODES),
      limits,
      apiKeys,
      ...(values.name === undefined ? {} : { name: values.name }),
      allowOrigins: commaList(values["allow-origin"]),
      remoteImages: { hosts: commaList(values["allow-url-host"]) },
      ...(values.quiet
        ? {}
        : { log: (entry) => terminal.stdout.write(`${JSON.stringify(entry)}\n`) }),
    });
    const hostname = values.host ?? "127.0.0.1";
    try {
      const inTime = await runServer(handler, {
        hostname,
        port,
        limits: { maxConnections },
        log: (message) => terminal.stderr.write(`serve: ${message}\n`),
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

/** Keys of a file, one a line; lines that are empty or begin with # are none. */
async function readKeys(path: string): Promise<string[]> {
  let text;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new Error(`${path}: ${readErrorMessage(error)}`);
  }
  const keys = text.split("\n").map((line) => line.trim()).filter((line) => /^[^#]/.test(line));
  const wrong = keys.findIndex((key) => !/^[A-Za-z0-9._~+/-]+=*$/.test(key));
  if (wrong !== -1) throw new Error(`${path}: key ${wrong + 1} has characters that no key has`);
  if (keys.length === 0) throw new Error(`${path}: there is no key in it`);
  return keys;
}

if (import.meta.main) await main(serve);
