import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { classify } from "../../src/cli/classify.ts";
import { run, TempFolder } from "./run.ts";
import { embed } from "../../src/cli/embed.ts";
import { fit } from "../../src/cli/fit.ts";
import { preprocess } from "../../src/cli/preprocess.ts";
import { jsonLines } from "./json_lines.ts";
import { readGolden } from "../golden/golden.ts";

const png = readGolden("decoded.safetensors").get("png_rgb.file")!.data as Uint8Array<ArrayBuffer>;

Deno.test("classify takes folders, globs and standard input, in their order", async () => {
  using folder = new TempFolder();
  const b = folder.write("photos/b.png", png);
  const a = folder.write("photos/deep/er/A.PNG", png);
  folder.write("photos/notes.txt", "no image");
  folder.write("photos/.hidden.png", png);
  const odd = folder.write("007", png);
  const glob = `${folder.path}/**/*.png`;
  const { code, stdout, stderr } = await run(
    classify,
    ["--json", `${folder.path}/photos`, "-", glob, odd],
    { stdin: png },
  );
  assertEquals([code, stderr], [0, ""]);
  assertEquals(jsonLines(stdout).map(({ file }) => file), [b, a, "-", b, odd]);
});

Deno.test("classify and embed count image files that they do not decode", async () => {
  using folder = new TempFolder();
  const good = folder.write("photos/good.png", png);
  for (
    const name of ["a.HEIC", "b.heif", "deep/c.tif", "d.Tiff", "e.avif", "f.bmp", "g.svg", "h.jxl"]
  ) folder.write(`photos/${name}`, "x");
  for (const name of ["i.ico", "j.dng", "k.CR2", "l.nef", "m.arw", "n.psd", ".heic", "notes.txt"]) {
    folder.write(`photos/${name}`, "x");
  }
  const photos = `${folder.path}/photos`;
  const counts =
    "left out: 2 HEIC, 2 TIFF, 1 ARW, 1 AVIF, 1 BMP, 1 CR2, 1 DNG, 1 ICO, 1 JPEG XL, " +
    "1 NEF, 1 PSD, 1 SVG; convert them to JPEG or PNG\n";
  for (const source of [photos, `${folder.path}/**/*[!t]`]) {
    for (const command of [classify, embed]) {
      const { code, stdout, stderr } = await run(command as typeof classify, [source, "--json"]);
      assertEquals([code, stderr], [0, `${command.name}: ${counts}`]);
      assertEquals(jsonLines(stdout).map(({ file }) => file), [good]);
    }
  }
  const other = folder.write("other/1.heic", "x").replace("/1.heic", "");
  for (const source of [other, `${folder.path}/*/*.heic`]) {
    const { code, stdout } = await run(classify, [source, "--json"]);
    assertEquals(code, 1);
    const error = "no image that can be read, but 1 HEIC; convert it to JPEG or PNG";
    assertEquals(jsonLines(stdout), [{ file: source, error }]);
  }
});

Deno.test("an address on the web is told with how to fetch it", async () => {
  const url = "https://example.com/a.jpg?b=c&d";
  const download = "download it with `curl -LO 'https://example.com/a.jpg?b=c&d'`";
  for (const command of [classify, embed]) {
    const { code, stderr } = await run(command as typeof classify, [url]);
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `${url}: URLs are not fetched: ${download}, or use ` +
        `\`curl -L 'https://example.com/a.jpg?b=c&d' | deno task ${command.name} -\`\n`,
    );
  }
  for (
    const [command, args] of [
      [preprocess, [url, "--out", "x"]],
      [classify, ["x.jpg", "--model", url]],
      [fit, [url, "--out", "x"]],
    ] as const
  ) {
    const { code, stderr } = await run(command as typeof classify, args);
    assertEquals(code, 1);
    assertStringIncludes(stderr, download);
  }
});

Deno.test("classify goes on after images that fail, and exits with 1", async () => {
  using folder = new TempFolder();
  const good = folder.write("good.png", png);
  const text = folder.write("text.jpg", "I am a text");
  const empty = folder.write("empty.jpg", "");
  const none = folder.write("none/readme.txt", "").replace("/readme.txt", "");
  const missing = `${folder.path}/missing.jpg`;
  const glob = `${folder.path}/*.webp`;
  const args = [missing, text, empty, none, glob, good];
  const { code, stdout, stderr } = await run(classify, ["--json", ...args]);
  assertEquals(code, 1);
  const lines = jsonLines(stdout);
  assertEquals(lines.map(({ file }) => file), args);
  const errors = lines.slice(0, -1).map(({ error }) => error!);
  assert(lines.at(-1)?.labels);
  const expected = [
    "no such file",
    "no image format",
    "empty",
    "no image is in this folder",
    "no file matches",
  ];
  expected.forEach((words, i) => assertStringIncludes(errors[i]!, words));
  assertEquals(stderr, args.slice(0, -1).map((file, i) => `${file}: ${errors[i]}\n`).join(""));
});

Deno.test("classify expands every kind of glob, no deeper than it says", async () => {
  using folder = new TempFolder();
  const { path } = folder;
  const top = folder.write("top.png", png);
  const cat = folder.write("sub/cat/1.png", png);
  const dog = folder.write("sub/dog/2.png", png);
  const odd = folder.write("odd[1]/3.png", png);
  const found = async (glob: string) =>
    jsonLines((await run(classify, ["--json", `${path}/${glob}`])).stdout).map(({ file }) => file);
  assertEquals(await found("*.png"), [top]);
  assertEquals(await found("sub/*/*.png"), [cat, dog]);
  assertEquals(await found("{top,sub/dog/2}.png"), [dog, top]);
  assertEquals(await found("sub/*/[2-9].png"), [dog]);
  assertEquals(await found("**/?.png"), [odd, cat, dog]);
  assertEquals(await found("odd[1]"), [odd]); // a folder of that name comes first
  assertEquals(await found("none/*.png"), [`${path}/none/*.png`]); // said to match nothing
});

Deno.test("classify reads standard input once", async () => {
  const { code, stdout } = await run(classify, ["--json", "-", "-"], { stdin: png });
  assertEquals(code, 1);
  assertEquals(jsonLines(stdout)[1]?.error, "standard input is read already");
});

Deno.test("classify takes a name that looks like a number, and escapes one that steers terminals", async () => {
  assertEquals((await run(classify, ["007"])).stderr, "007: no such file\n");
  assertEquals((await run(classify, ["a\n\x1b[31mb"])).stderr, "a\\x0a\\x1b[31mb: no such file\n");
});

Deno.test("classify stops reading a file at the limit", async () => {
  using folder = new TempFolder();
  const large = folder.write("large.png", new Uint8Array(20_000_001));
  assertStringIncludes((await run(classify, [large])).stderr, "it has more than 20000000 bytes");
});
