import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fit } from "../../../src/cli/fit.ts";
import { run, TempFolder } from "../run.ts";
import { photos, systemOf } from "./photos.ts";

Deno.test("fit decodes nothing whose features it has", async () => {
  using folder = new TempFolder();
  const system = systemOf(folder);
  const source = await photos(folder, "photos", 2);
  const args = [source, "--head-only", `${folder.path}/head.onnx`, "--jobs", "2"];
  const first = await run(fit, args, { system });
  const { Worker } = globalThis;
  try {
    globalThis.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        assert(!String(url).includes("decode_worker"), "a decoder is started");
        super(url, options);
      }
    };
    assertEquals(await run(fit, args, { system }), first);
    const uncached = await run(fit, [...args, "--no-cache"], { system });
    assertStringIncludes(uncached.stderr, "a decoder is started");
  } finally {
    globalThis.Worker = Worker;
  }
});

Deno.test("fit keeps features, and takes up again where it was interrupted", async () => {
  using folder = new TempFolder();
  const system = systemOf(folder);
  const source = await photos(folder, "photos", 3);
  const args = [source, "--head-only", `${folder.path}/head.onnx`];
  const first = await run(fit, args, { system });
  const cache = `${folder.path}/vit-msn-edge/features`;
  const [{ name }] = [...Deno.readDirSync(cache)] as [Deno.DirEntry];
  const files = () => [...Deno.readDirSync(`${cache}/${name}`)].map(({ name }) => name);
  assertEquals(files().length, 1);
  const record = 32 + 4 * 192;
  const path = `${cache}/${name}/${files()[0]}`;
  assertEquals(Deno.statSync(path).size, 9 * record);
  assertEquals(await run(fit, args, { system }), first);
  assertEquals(files().length, 1);
  // The last record is half-written, the first one damaged.
  const bytes = Deno.readFileSync(path).subarray(0, 8.5 * record);
  bytes.fill(77, 32, 200);
  Deno.writeFileSync(path, bytes);
  assertEquals(await run(fit, args, { system }), first);
  const added = files().find((file) => !path.endsWith(file))!;
  assertEquals(Deno.statSync(`${cache}/${name}/${added}`).size, 2 * record);
  await run(fit, [...args, "--no-cache"], { system });
  assertEquals(files().length, 2);
});

Deno.test("fit without a cache folder says so and goes on", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 1);
  const out = `${folder.path}/my.onnx`;
  const { code, stderr, stdout } = await run(fit, [source, "--out", out]);
  assertEquals(code, 0);
  assertMatch(stderr, /^fit: features are not cached: .*HOME is not set\n$/);
  assertStringIncludes(stdout, "too few photos for cross-validation");
});

/** Makes the n-th write to a features cache fail, and those after it. */
function failingWrites(n: number): Disposable {
  const { writeSync } = Deno.FsFile.prototype;
  let writes = 0;
  Deno.FsFile.prototype.writeSync = function (bytes) {
    if (++writes < n) return writeSync.call(this, bytes);
    if (writes === n) return writeSync.call(this, bytes.subarray(0, 100)); // the last that fits
    throw new Error("No space left on device (os error 28)");
  };
  return { [Symbol.dispose]: () => void (Deno.FsFile.prototype.writeSync = writeSync) };
}

for (const [what, n] of [["at once", 1], ["in the middle", 4]] as const) {
  Deno.test(`fit loses no photo when its cache's disk is full ${what}`, async () => {
    using folder = new TempFolder();
    const system = systemOf(folder);
    const source = await photos(folder, "photos", 3);
    const args = (name: string) => [source, "--out", `${folder.path}/${name}.onnx`];
    const uncached = await run(fit, [...args("uncached"), "--no-cache"]);
    {
      using _full = failingWrites(n);
      const { code, stderr, stdout } = await run(fit, args("full"), { system });
      assertEquals(
        [code, stderr],
        [0, "fit: features are not cached: No space left on device (os error 28)\n"],
      );
      assertEquals(stdout, uncached.stdout.replaceAll("uncached.onnx", "full.onnx"));
    }
    const bytes = (name: string) => Deno.readFileSync(`${folder.path}/${name}.onnx`);
    assertEquals(bytes("full"), bytes("uncached"));
    // What was written before can be read, and the rest is computed.
    assertEquals((await run(fit, args("later"), { system })).stderr, "");
    assertEquals(bytes("later"), bytes("uncached"));
  });
}

Deno.test("fit loses no photo when its cache's folder is there, but cannot be written to", async () => {
  using folder = new TempFolder();
  const system = systemOf(folder);
  const source = await photos(folder, "photos", 3);
  const { openSync } = Deno;
  try {
    Deno.openSync = () => {
      throw new Deno.errors.PermissionDenied();
    };
    const { code, stderr, stdout } = await run(
      fit,
      [source, "--head-only", `${folder.path}/head.onnx`, "--json"],
      { system },
    );
    assertEquals([code, stderr], [0, "fit: features are not cached: permission denied\n"]);
    assertEquals(JSON.parse(stdout).counts, [3, 3, 3]);
  } finally {
    Deno.openSync = openSync;
  }
});
