import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readCheckpoint } from "../../src/hub/read_checkpoint.ts";
import { MAX_JSON_BYTES } from "../../src/hub/download_options.ts";
import type { DownloadProgress } from "../../src/hub/hub_options.ts";
import { sha256 } from "../golden/golden.ts";
import { cutAfter, status } from "./hub_server.ts";
import { NAME, Setting, WEIGHTS } from "./setting.ts";

Deno.test("downloadModel() gets the files once, and tells the token to the hub only", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  hub.token = "hf_token";
  const progress: DownloadProgress[] = [];
  const onProgress = (step: DownloadProgress) => void progress.push(step);
  assertEquals(await setting.download({ token: "hf_token", onProgress }), setting.folder);
  setting.assertWeights();
  assertEquals(setting.names(), ["config.json", "download.json", WEIGHTS]);
  await readCheckpoint(setting.folder);
  const asked = ["hub config.json", "hub preprocessor_config.json", `hub ${WEIGHTS}`];
  assertEquals(hub.asked, [...asked, `cdn ${WEIGHTS}`]);
  for (const { server, authorization } of hub.received) {
    assertEquals(authorization, server === "hub" ? "Bearer hf_token" : null);
  }
  const size = hub.files.get(WEIGHTS)!.length;
  assertEquals(progress.at(-1), { file: WEIGHTS, received: size, total: size });

  await setting.download();
  await setting.download({ offline: true });
  assertEquals(hub.received.length, 4); // no other request
});

Deno.test("downloadModel() names HF_TOKEN when the hub refuses", async () => {
  await using setting = new Setting();
  setting.hub.token = "hf_token";
  await setting.fails("config.json of org/tiny@main: 127.0.0.1:");
  await setting.fails("HF_TOKEN");
  await setting.fails("HTTP 401", { token: "wrong" });
  setting.hub.next("hub config.json", status(403));
  await setting.fails("HTTP 403");
  assertEquals(setting.slept, []);
  assertEquals(setting.hub.received.length, 4);
});

Deno.test("downloadModel() asks for a new link when the server behind it refuses", async () => {
  await using setting = new Setting();
  setting.hub.next(`cdn ${WEIGHTS}`, status(403));
  await setting.download();
  assertEquals(setting.hub.asked.filter((what) => what === `hub ${WEIGHTS}`).length, 2);
});

Deno.test("downloadModel() asks for a branch with a slash as one part of the address", async () => {
  await using setting = new Setting();
  const folder = await setting.download({}, { ...NAME, revision: "feature/x" });
  assert(Deno.statSync(`${folder}/model.safetensors`).isFile);
});

Deno.test("downloadModel() names repository, revision and file that are not there", async () => {
  await using setting = new Setting();
  const other = { ...NAME, revision: "v2" };
  const error = await assertRejects(() => setting.download({}, other), Error);
  assertMatch(error.message, /^Cannot download config\.json of org\/tiny@v2: .*404/);
  setting.hub.files.delete(WEIGHTS);
  await setting.fails("or pytorch_model.bin of org/tiny@main");
  setting.hub.files.set("pytorch_model.bin", new Uint8Array(1000));
  await setting.download();
  assert(setting.names().includes("pytorch_model.bin"));
});

Deno.test("downloadModel() refuses and removes a corrupt file", async () => {
  await using setting = new Setting();
  const corrupt = setting.hub.files.get(WEIGHTS)!.slice();
  corrupt[50_000]! ^= 1;
  setting.hub.next(`cdn ${WEIGHTS}`, () => new Response(corrupt));
  await setting.fails("model.safetensors of org/tiny@main: it is corrupt");
  assertEquals(setting.names(), ["config.json", "download.json"]);
  // The part from before is checked too.
  setting.hub.next(`cdn ${WEIGHTS}`, cutAfter(40_000, setting.hub.etag), () => {
    Deno.writeFileSync(`${setting.folder}/${WEIGHTS}.partial`, new Uint8Array(40_000));
    return new Response(corrupt.subarray(40_000), {
      status: 206,
      headers: { "Content-Range": "bytes 40000-91159/91160" },
    });
  });
  await setting.fails("it is corrupt");
  await setting.download();
  setting.assertWeights();
});

Deno.test("downloadModel() takes a plain ETag that looks like a SHA-256 for one", async () => {
  await using setting = new Setting();
  const answer = (etag: string) => (_: Request, content: Uint8Array<ArrayBuffer>) =>
    new Response(content, { headers: { ETag: etag } });
  const config = setting.hub.files.get("config.json")!;
  setting.hub.next("hub config.json", answer(`"${"0".repeat(64)}"`));
  await setting.fails("config.json of org/tiny@main: it is corrupt");
  setting.hub.commit = "";
  setting.hub.next("hub config.json", answer(`"${await sha256(config)}"`));
  await setting.download();
});

Deno.test("downloadModel() names the file that cannot be written", async () => {
  await using setting = new Setting();
  Deno.mkdirSync(`${setting.folder}/config.json`, { recursive: true });
  await setting.fails("Cannot download config.json of org/tiny@main: ");
});

Deno.test("downloadModel() refuses bodies that are too short or too long", async () => {
  await using setting = new Setting();
  const bodies = (size: number) =>
    Array.from({ length: 5 }, () => () => new Response(new Uint8Array(size)));
  setting.hub.next(`cdn ${WEIGHTS}`, ...bodies(1000));
  await setting.fails("received only 1000 of 91160 bytes (tried 5 times)");
  setting.hub.next(`cdn ${WEIGHTS}`, ...bodies(91_161));
  await setting.fails("received more than the file's 91160 bytes (tried 5 times)");
});

Deno.test("downloadModel() refuses large JSON files, with and without a stated size", async () => {
  await using setting = new Setting();
  const large = new Uint8Array(MAX_JSON_BYTES + 1).fill(32);
  setting.hub.next("hub config.json", () => new Response(large), () => {
    return new Response(ReadableStream.from([large]));
  });
  await setting.fails("config.json of org/tiny@main: it has more than 10000000 bytes");
  await setting.fails("it has more than 10000000 bytes");
  assertEquals(setting.names(), []);
  setting.hub.next("hub config.json", () => new Response(large.subarray(1)));
  await setting.download();
});

Deno.test("downloadModel() follows five redirects, and none that is unsafe", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  const redirect = (to: string) => status(307, { Location: to });
  const self = redirect("/org/tiny/resolve/main/config.json");
  hub.next("hub config.json", ...Array.from({ length: 6 }, () => self));
  await setting.fails("more than 5 redirects");
  for (const to of ["file:///etc/passwd", "http://user:pass@127.0.0.1/", "http://["]) {
    hub.next("hub config.json", redirect(to));
    await setting.fails("not safe to follow");
  }
  hub.next("hub config.json", ...Array.from({ length: 5 }, () => self));
  await setting.download();
});

Deno.test("downloadModel() gets shards, and only what is a plain file name", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  const index = (...files: unknown[]) =>
    hub.files.set(
      `${WEIGHTS}.index.json`,
      new TextEncoder().encode(JSON.stringify({ weight_map: { ...files } })),
    );
  const [a, b] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  hub.files.delete(WEIGHTS);
  for (const bad of ["../x.safetensors", "/x.safetensors", "a/b.safetensors", "config.json", 1]) {
    index(a, bad);
    await setting.fails("its weight_map does not name");
  }
  hub.files.set(`${WEIGHTS}.index.json`, new TextEncoder().encode("{"));
  await setting.fails("index.json of org/tiny@main: it is not JSON");
  index(a, b, a);
  hub.files.set(a, new Uint8Array(1000));
  await setting.fails(`${b} of org/tiny@main`);
  hub.files.set(b, new Uint8Array(2000));
  hub.received.length = 0;
  await setting.download();
  assertEquals(Deno.readFileSync(`${setting.folder}/${b}`), new Uint8Array(2000));
  assert(!hub.asked.includes(`hub ${a}`)); // it is there already
});

Deno.test("downloadModel() never mixes files of two commits", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  const files = [`${WEIGHTS}.index.json`, "a.safetensors", "b.safetensors"] as const;
  hub.files.delete(WEIGHTS);
  const map = JSON.stringify({ weight_map: { x: files[1], y: files[2] } });
  hub.files.set(files[0], new TextEncoder().encode(map));
  hub.files.set(files[1], new Uint8Array(1000));
  await setting.fails(files[2]);
  hub.files.set(files[2], new Uint8Array(1000));
  hub.commit = "another";
  hub.received.length = 0;
  await setting.download();
  assert(hub.asked.includes(`hub ${files[1]}`));

  await using moving = new Setting();
  moving.hub.next(`hub ${WEIGHTS}`, (_, content) => {
    return new Response(content, { headers: { "X-Repo-Commit": "another" } });
  });
  await moving.fails("the revision has changed since the first file");
  assert(!moving.names().includes(WEIGHTS));
});

Deno.test("downloadModel() says what is missing offline", async () => {
  await using setting = new Setting();
  await setting.fails(
    `Cannot use org/tiny@main offline: it is not in the cache folder ${setting.cache.path}`,
    { offline: true },
  );
  assertEquals([...Deno.readDirSync(setting.cache.path)], []);
  await setting.download();
  Deno.removeSync(`${setting.folder}/${WEIGHTS}`);
  await setting.fails("no longer has model.safetensors", { offline: true });
  assertEquals(setting.hub.received.length, 4);
  await setting.download();
  setting.assertWeights();
});

Deno.test("downloadModel() downloads once when called twice at a time", async () => {
  await using setting = new Setting();
  await Promise.all([setting.download(), setting.download()]);
  assertEquals(setting.hub.received.length, 4);
});
