import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { cacheFolder } from "../../../src/hub/cache_folder.ts";
import { DownloadError } from "../../../src/hub/download_error.ts";
import { fileSystem } from "../../../src/hub/file_system.ts";
import { WebFolder } from "../../../src/hub/web_folder.ts";
import type { PretrainedOptions } from "../../../src/model/pretrained/pretrained_options.ts";
import { goldenModel } from "../../golden/model.ts";
import { assertFails, assertTiny, Setting } from "./setting.ts";

const WEIGHTS = "model.safetensors";

/** A host without files, as browsers and Workers are, and with the caches of a browser. */
class Browser implements Disposable {
  /** The addresses in each cache. */
  readonly kept = new Map<string, Map<string, Response>>();
  readonly #builtin = process.getBuiltinModule;
  readonly #caches = Object.getOwnPropertyDescriptor(globalThis, "caches")!;

  constructor(open?: () => never) {
    Object.assign(process, { getBuiltinModule: undefined });
    const caches = { open: open ?? ((name: string) => Promise.resolve(this.#cache(name))) };
    Object.defineProperty(globalThis, "caches", { value: caches, configurable: true });
  }

  #cache(name: string): Pick<Cache, "match" | "put"> {
    const kept = this.kept.get(name) ?? new Map<string, Response>();
    this.kept.set(name, kept);
    return {
      match: (key) => Promise.resolve(kept.get(String(key))?.clone()),
      put: (key, response) => Promise.resolve(void kept.set(String(key), response)),
    };
  }

  [Symbol.dispose](): void {
    Object.assign(process, { getBuiltinModule: this.#builtin });
    Object.defineProperty(globalThis, "caches", this.#caches);
  }
}

/** A browser's `fetch`: it does not show redirects, but follows them. */
const browserFetch: PretrainedOptions["fetch"] = async (url, init) => {
  const response = await fetch(url, init);
  if (response.status !== 302) return response;
  await response.body?.cancel();
  const opaque = new Response(null);
  return Object.defineProperty(opaque, "type", { value: "opaqueredirect" });
};

const BROWSER = { cache: undefined, fetch: browserFetch } as unknown as PretrainedOptions;

Deno.test("in a browser, fromPretrained() keeps what it fetches in a Cache", async () => {
  await using setting = new Setting();
  using browser = new Browser();
  await assertTiny(setting.load(BROWSER));
  assertEquals(setting.asked(), [
    "hub model.onnx",
    "hub config.json",
    `hub ${WEIGHTS}`,
    `hub ${WEIGHTS}`,
    `cdn ${WEIGHTS}`,
    "hub preprocessor_config.json",
  ]);
  const kept = browser.kept.get("vit-msn-edge")!;
  const prefix = `${setting.hub.endpoint}/org/tiny/resolve/main/`;
  assertEquals(
    [...kept].map(([key, { status }]) => `${key.replace(prefix, "")} ${status}`).toSorted(),
    ["config.json 200", "model.onnx 404", `${WEIGHTS} 200`, "preprocessor_config.json 404"],
  );
  await assertTiny(setting.load(BROWSER));
  assertEquals(setting.asked(), []);

  await assertTiny(setting.load({ ...BROWSER, cache: "mine" }));
  assertEquals([...browser.kept.keys()], ["vit-msn-edge", "mine"]);
  await assertTiny(setting.load({ ...BROWSER, cache: false }));
  assert(setting.asked().includes(`cdn ${WEIGHTS}`));

  kept.set(`${prefix}${WEIGHTS}`, new Response("cut", { headers: { "Content-Length": "91160" } }));
  await assertTiny(setting.load(BROWSER));
  assert(setting.asked().includes(`cdn ${WEIGHTS}`));
});

Deno.test("in a browser, a failed download is not kept", async () => {
  await using setting = new Setting();
  using browser = new Browser();
  const corrupt = setting.hub.files.get(WEIGHTS)!.slice();
  corrupt[50_000]! ^= 1;
  setting.hub.next(`cdn ${WEIGHTS}`, () => new Response(corrupt));
  const options = { ...BROWSER, fetch } as PretrainedOptions;
  await assertFails(setting.load(options), "DownloadError", WEIGHTS, "it is corrupt");
  const names = [...browser.kept.get("vit-msn-edge")!.keys()].map((key) => key.split("/").at(-1));
  assertEquals(names, ["config.json"]);
});

Deno.test("in a browser that allows no caches, fromPretrained() does without", async () => {
  await using setting = new Setting();
  using _browser = new Browser(() => {
    throw new DOMException("not allowed", "SecurityError");
  });
  await assertTiny(setting.load(BROWSER));
  await assertTiny(setting.load(BROWSER));
  assertEquals(setting.asked().filter((file) => file === `cdn ${WEIGHTS}`).length, 2);
});

Deno.test("in a browser, fromPretrained() says that a path is none", async () => {
  await using setting = new Setting();
  using _browser = new Browser();
  await assertFails(
    setting.load(BROWSER, "./models/tiny"),
    "TypeError",
    "Cannot load the model ./models/tiny: it is neither org/name nor a URL",
  );
});

Deno.test("in a browser, the parts of the hub say that there are no files", async () => {
  using _browser = new Browser();
  assertThrows(() => fileSystem(), Error, "Cannot read files: this host has no file system");
  await assertRejects(() => cacheFolder(), Error, "Cannot locate the cache folder: this host has");
});

/** A server of files, that answers as one of web applications does. */
function serveFiles(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>, html: boolean) {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    const content = files.get(pathname.slice("/models/".length));
    if (content) return new Response(content);
    return html
      ? new Response("<!doctype html>", { headers: { "Content-Type": "text/html" } })
      : new Response(null, { status: 404 });
  });
  const address = `http://127.0.0.1:${server.addr.port}/models/`;
  return { asked, address, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("fromPretrained() takes the address of a folder or a file", async () => {
  await using setting = new Setting();
  const files = new Map(setting.hub.files);
  files.set("tiny.onnx", await goldenModel("tiny", "f32") as Uint8Array<ArrayBuffer>);
  for (const html of [false, true]) {
    await using server = serveFiles(files, html);
    const { address, asked } = server;
    const none = { cache: false } as const;
    await assertTiny(setting.load(none, address));
    await assertTiny(setting.load(none, new URL(address.slice(0, -1))));
    await assertTiny(setting.load(none, `${address}${WEIGHTS}`));
    asked.length = 0;
    await assertTiny(setting.load(none, `${address}tiny.onnx?v=2`));
    assertEquals(asked, ["/models/tiny.onnx?v=2"]);
    await assertFails(
      setting.load(none, `${address}no.onnx`),
      "MissingFileError",
      `Cannot load the model ${address}no.onnx: no such file`,
    );
  }
  await assertFails(setting.load({}, "https://127.0.0.1/"), "TypeError", "Cannot use cache");
  await assertFails(
    setting.load({}, new URL("ftp://127.0.0.1/")),
    "TypeError",
    "its protocol is ftp:",
  );
  assertEquals(setting.asked(), []);
});

Deno.test("fromPretrained() names the server that cannot be reached", async () => {
  const folder = new WebFolder({ repo: "org/tiny", revision: "main" }, {
    fetch: () => Promise.reject(new TypeError("no network")),
    sleep: () => Promise.resolve(),
  });
  await assertRejects(
    () => folder.read("config.json"),
    DownloadError,
    "Cannot download config.json of org/tiny@main: huggingface.co cannot be reached: no network",
  );
  // The wait for another attempt can be ended.
  await using setting = new Setting();
  await assertFails(
    setting.load({
      cache: false,
      fetch: () => Promise.reject(new TypeError("no network")),
      signal: AbortSignal.timeout(50),
    }),
    "TimeoutError",
  );
});
