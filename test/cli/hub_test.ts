import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { readSafetensors } from "../../src/checkpoint/safetensors.ts";
import { cacheFolder } from "../../src/cli/options/cache_folder.ts";
import { classify } from "../../src/cli/classify.ts";
import type { Command, Options } from "../../src/cli/command.ts";
import { convert } from "../../src/cli/convert.ts";
import { DownloadBar } from "../../src/cli/output/progress/download_progress.ts";
import { embed } from "../../src/cli/embed.ts";
import { fit } from "../../src/cli/fit.ts";
import { forward } from "../../src/cli/forward.ts";
import { preprocess } from "../../src/cli/preprocess.ts";
import { processSystem, type System } from "../../src/cli/options/system.ts";
import { HubServer } from "../hub/hub_server.ts";
import { goldenPath, maxDifference, readGolden } from "../golden/golden.ts";
import { EMPTY_SYSTEM, type Result, run, TempFolder } from "./run.ts";

/** A hub and a user's system. */
class Setting implements AsyncDisposable {
  readonly hub = new HubServer();
  readonly folder = new TempFolder();
  readonly env: Record<string, string> = {
    XDG_CACHE_HOME: Deno.realPathSync(this.folder.path),
    HF_ENDPOINT: `${this.hub.endpoint}/`,
  };
  readonly written: string[] = [];
  readonly system: System = {
    ...EMPTY_SYSTEM,
    env: (name) => Promise.resolve(this.env[name]),
    allowWrite: (path) => Promise.resolve(void this.written.push(path)),
  };
  readonly cached = `${this.folder.path}/vit-msn-edge/org--tiny/main`;

  run<O extends Options>(command: Command<O>, args: string[], more = {}): Promise<Result> {
    return run(command, args, { system: this.system, ...more });
  }

  async fails<O extends Options>(
    command: Command<O>,
    args: string[],
    message: string,
  ): Promise<void> {
    const { code, stdout, stderr } = await this.run(command, args);
    assertEquals([code, stdout], [1, ""], stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    assertStringIncludes(stderr, message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

const ship = "test/images/ship.jpg";

Deno.test("--model takes a model of the hub, and downloads and converts it once", async () => {
  await using setting = new Setting();
  const out = `${setting.folder.path}/out.safetensors`;
  const inputs = goldenPath("tiny/expected.safetensors");
  const args = ["--model", "org/tiny", "--inputs", inputs, "--out", out];
  const first = await setting.run(forward, args);
  assertEquals(first.code, 0, first.stderr);
  assertStringIncludes(first.stderr, "org/tiny: ");
  assertStringIncludes(first.stderr, "has no preprocessor_config.json");
  const expected = readGolden("tiny/expected.safetensors");
  for (const [name, { data }] of readSafetensors(Deno.readFileSync(out))) {
    const reference = expected.get(name)!.data as Float32Array;
    assert(maxDifference(data as Float32Array, reference) < 1e-4);
  }
  const asked = setting.hub.asked;
  assertEquals(asked.at(-1), "cdn model.safetensors");

  const onnx = `${setting.cached}/model.onnx`;
  const { mtime } = Deno.statSync(onnx);
  const model = ["--model", "org/tiny@main"];
  for (const offline of [[], ["--offline"]]) {
    setting.written.length = 0;
    assertEquals((await setting.run(classify, [ship, ...model, ...offline])).code, 0);
    assertEquals((await setting.run(embed, [ship, ...model, ...offline])).code, 0);
    assertEquals(
      (await setting.run(preprocess, [ship, "--out", out, ...model, ...offline])).code,
      0,
    );
    assertEquals(setting.written, []); // reading is enough
  }
  assertEquals(setting.hub.asked, asked);
  assertEquals(Deno.statSync(onnx).mtime, mtime);
});

Deno.test("convert takes a model of the hub", async () => {
  await using setting = new Setting();
  const out = `${setting.folder.path}/tiny.onnx`;
  await setting.fails(convert, ["org/tiny", "--out", out, "--offline"], "not in the cache folder");
  const { code, stderr } = await setting.run(convert, ["org/tiny", "--out", out]);
  assertEquals(code, 0, stderr);
  assertEquals((await run(classify, [ship, "--model", out])).code, 0);
  assertEquals(
    (await setting.run(convert, ["org/tiny", "--out", out, "--offline", "--dtype", "f16"])).code,
    0,
  );
});

Deno.test("a model of the hub that is downloaded anew is converted anew", async () => {
  await using setting = new Setting();
  assertEquals((await setting.run(classify, [ship, "--model", "org/tiny"])).code, 0);
  Deno.removeSync(`${setting.cached}/download.json`);
  setting.folder.write("vit-msn-edge/org--tiny/main/model.onnx", "old");
  assertEquals((await setting.run(classify, [ship, "--model", "org/tiny"])).code, 0);
});

Deno.test("a backbone of the hub is not asked for labels", async () => {
  await using setting = new Setting();
  for (const name of ["config.json", "model.safetensors"]) {
    setting.hub.files.set(name, Deno.readFileSync(goldenPath(`tiny_backbone/${name}`)));
  }
  setting.hub.files.set(
    "preprocessor_config.json",
    new TextEncoder().encode('{"size": {"height": 30, "width": 30}}'),
  );
  const model = ["--model", "org/tiny"];
  await setting.fails(
    classify,
    [ship, ...model],
    "Cannot classify: the model is a backbone without a trained classifier, though its config may " +
      "name labels; `deno task fit PHOTOS --model MODEL --out FILE.onnx` fits one",
  );
  assertEquals((await setting.run(embed, [ship, ...model])).code, 0);
});

Deno.test("what is a path is not asked of the hub", async () => {
  await using setting = new Setting();
  const { path } = setting.folder;
  await setting.fails(convert, ["test/golden", "--out", `${path}/x`], "it has no config.json");
  await setting.fails(classify, [ship, "--model", "test/golden"], "found none of onnx/model.onnx");
  for (const model of ["org/tiny.onnx", "./org/tiny", "org/../tiny"]) {
    await setting.fails(classify, [ship, "--model", model], "no such file");
  }
  assertEquals(setting.hub.received, []);
});

Deno.test("errors of the hub are one line", async () => {
  await using setting = new Setting();
  const model = ["--model", "org/tiny@v2"];
  const message =
    "classify: no file or folder org/tiny@v2 exists, and downloading it from the hub " +
    "failed: Cannot download config.json of org/tiny@v2";
  await setting.fails(classify, [ship, ...model], message);
  setting.hub.token = "hf_token";
  await setting.fails(classify, [ship, "--model", "org/tiny"], "HF_TOKEN");
  setting.env.HF_TOKEN = "hf token";
  await setting.fails(classify, [ship, "--model", "org/tiny"], "Cannot use HF_TOKEN");
  setting.env.HF_TOKEN = "hf_token";
  assertEquals((await setting.run(classify, [ship, "--model", "org/tiny"])).code, 0);
  setting.env.HF_ENDPOINT = "hub";
  await setting.fails(classify, [ship, ...model], "HF_ENDPOINT: it is hub, not a URL such as");
  await setting.fails(classify, [ship, ...model, "--offline"], "Cannot use org/tiny@v2 offline");
});

Deno.test("without permission, one line says which flags to add", async () => {
  await using setting = new Setting();
  const asked: string[] = [];
  for (const refused of ["env", "write", "net"] as const) {
    const system = processSystem("classify", "deno task", (descriptor) => {
      asked.push(descriptor.name);
      return Promise.resolve({ state: descriptor.name === refused ? "denied" : "granted" });
    });
    const { code, stderr } = await run(classify, [ship, "--model", "org/tiny"], {
      system: refused === "env" ? system : { ...system, env: setting.system.env },
    });
    assertEquals(code, 1);
    assertMatch(
      stderr,
      new RegExp(
        `^classify: no file or folder org/tiny exists, .* needs --allow-${refused}=.*\n$`,
      ),
    );
    assertStringIncludes(
      stderr,
      "deno run --lock --frozen --allow-read --allow-write --allow-net --allow-env src/cli/classify.ts",
    );
  }
  assertEquals(asked, ["env", "write", "write", "net"]);
  assertEquals(setting.hub.received, []);
  // Nothing is asked for without a model of the hub.
  assertEquals(
    (await run(classify, [ship], { system: processSystem("classify", "deno task") })).code,
    0,
  );
});

Deno.test("a program that is installed says how to install it with more permissions", async () => {
  const system = processSystem("classify", "vit-msn", () => Promise.resolve({ state: "denied" }));
  const { stderr } = await run(classify, [ship, "--model", "models/foo"], { system });
  assertEquals(
    stderr,
    "classify: no file or folder models/foo exists, and downloading it from the hub failed: " +
      "this needs --allow-env=XDG_CACHE_HOME: install vit-msn with --allow-read " +
      "--allow-write --allow-net --allow-env\n",
  );
});

Deno.test("without permission to keep features, one line says which to give", async () => {
  using folder = new TempFolder();
  for (const name of ["ship", "dog"]) {
    folder.write(`photos/${name}/1.jpg`, Deno.readFileSync(`test/images/${name}.jpg`));
  }
  const args = [`${folder.path}/photos`, "--head-only", `${folder.path}/head.onnx`];
  const system = processSystem("fit", "vit-msn", () => Promise.resolve({ state: "denied" }));
  const { code, stderr } = await run(fit, args, { system });
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /^fit: features are not cached: this needs --allow-env=.*: install vit-msn with .*\n$/,
  );
});

Deno.test("every server that a model comes from needs permission", async () => {
  await using setting = new Setting();
  const hosts: string[] = [];
  const { fetch } = processSystem("classify", "deno task", (descriptor) => {
    hosts.push((descriptor as Deno.NetPermissionDescriptor).host!);
    return Promise.resolve({ state: hosts.length < 4 ? "granted" : "denied" });
  });
  const system = { ...setting.system, fetch };
  const { stderr } = await run(classify, [ship, "--model", "org/tiny"], { system });
  const cdn = new URL(setting.hub.cdnUrl("")).host;
  assertEquals(hosts.at(-1), cdn);
  assertStringIncludes(stderr, `--allow-net=${cdn}`);
});

Deno.test("cacheFolder() is where the system keeps caches", async () => {
  const folder = (os: typeof Deno.build.os, variables: Record<string, string>) =>
    cacheFolder({ env: (name) => Promise.resolve(variables[name]) }, os);
  const HOME = "/home/ann";
  assertEquals(await folder("linux", { HOME }), "/home/ann/.cache/vit-msn-edge");
  assertEquals(await folder("linux", { HOME, XDG_CACHE_HOME: "/var/c" }), "/var/c/vit-msn-edge");
  assertEquals(
    await folder("linux", { HOME, XDG_CACHE_HOME: "c" }),
    "/home/ann/.cache/vit-msn-edge",
  );
  assertEquals(await folder("windows", { HOME, LOCALAPPDATA: "/local" }), "/local/vit-msn-edge");
  await assertRejects(() => folder("darwin", {}), Error, "HOME is not set");
  await assertRejects(() => folder("windows", {}), Error, "LOCALAPPDATA is not set");
});

Deno.test("a download draws a bar on a terminal, and takes it away", async () => {
  await using setting = new Setting();
  const args = [ship, "--model", "org/tiny", "--json"];
  const { code, stderr } = await setting.run(classify, args, { isTerminal: true });
  assertEquals(code, 0);
  assertStringIncludes(stderr, "\r\x1b[K");
  assert(stderr.indexOf("config.json") < stderr.lastIndexOf("\r\x1b[K"));
});

Deno.test("DownloadBar shows bytes, speed and the time left", () => {
  let now = 0;
  let text = "";
  const write = (written: string) => void (text = written);
  const output = { write, isTerminal: true, color: false, columns: 100 };
  const bar = new DownloadBar(output, () => now);
  const file = "model.safetensors";
  const total = 87_000_000;
  bar.show({ file, received: 27_000_000, total }); // from an earlier try
  assertMatch(text, /█+░+ 27 MB of 87 MB {2}model\.safetensors$/);
  now = 2000;
  bar.show({ file, received: 47_000_000, total });
  assertMatch(text, /47 MB of 87 MB {2}10 MB\/s {2}0:04 left {2}model\.safetensors$/);
  now = 2050;
  bar.show({ file, received: total, total });
  assertStringIncludes(text, "47 MB"); // it was just drawn
  now = 3000;
  bar.show({ file, received: 48_000_000, total: undefined });
  assertEquals(text, "\r\x1b[K48 MB  7 MB/s  model.safetensors");
  bar.clear();
  assertEquals(text, "\r\x1b[K");

  text = "";
  new DownloadBar({ ...output, isTerminal: false }).show({ file, received: 1, total });
  assertEquals(text, "");
});
