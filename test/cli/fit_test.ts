import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { classify } from "../../src/cli/classify.ts";
import { evaluate } from "../../src/cli/evaluate.ts";
import { fit } from "../../src/cli/fit.ts";
import { writePng } from "../../src/cli/output/png.ts";
import type { System } from "../../src/cli/options/system.ts";
import { decodeImage } from "../../src/image/decode_image.ts";
import { uniform } from "../../src/tensor/random.ts";
import { EMPTY_SYSTEM, run, TempFolder } from "./run.ts";

/** A picture of one colour and some noise. */
async function picture(colour: readonly number[], seed: number): Promise<Uint8Array> {
  const random = uniform(seed);
  const data = Uint8Array.from({ length: 3 * 20 * 20 }, (_, i) => colour[i % 3]! + 50 * random());
  return await writePng({ width: 20, height: 20, data });
}

const COLOURS = { red: [200, 0, 0], "dark blue": [0, 0, 100], "grün; <b>": [0, 200, 0] };

/** A folder with a folder of photos for each class. */
async function photos(
  folder: TempFolder,
  name: string,
  count: number,
  { seed = 0, classes = Object.keys(COLOURS) }: { seed?: number; classes?: string[] } = {},
): Promise<string> {
  for (const [c, label] of classes.entries()) {
    for (let i = 0; i < count; i++) {
      const colour = COLOURS[label as keyof typeof COLOURS];
      const png = await picture(colour, seed + 100 * c + i + label.length * 1000);
      folder.write(`${name}/${label}/${i}.png`, png);
    }
  }
  return `${folder.path}/${name}`;
}

/** A system whose cache is in the folder. */
function systemOf(folder: TempFolder): System {
  const home = Deno.realPathSync(folder.path);
  const env = (name: string) => Promise.resolve(name === "XDG_CACHE_HOME" ? home : undefined);
  return { ...EMPTY_SYSTEM, env };
}

const exists = (path: string) => {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
};

Deno.test("fit makes a file that classify and evaluate take", async () => {
  using folder = new TempFolder();
  const system = systemOf(folder);
  const source = await photos(folder, "photos", 5);
  const out = `${folder.path}/my.onnx`;
  const head = `${folder.path}/head.onnx`;
  const { code, stdout, stderr } = await run(
    fit,
    [source, "--out", out, "--head-only", head],
    { system },
  );
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Fitted 3 classes on 15 photos: \w+/);
  assertStringIncludes(stdout, `${out}: deno task classify photo.jpg --model ${out}`);
  assert(Deno.statSync(head).size < 50_000);

  const test = await photos(folder, "test", 2, { seed: 7000 });
  for (const model of [["--model", out], ["--head", head]]) {
    const { stdout } = await run(classify, [test, "--json", ...model]);
    for (const line of stdout.trimEnd().split("\n")) {
      const { file, labels } = JSON.parse(line);
      assertEquals(labels[0].label, file.split("/").at(-2));
    }
  }
  const report = `${folder.path}/report.html`;
  const evaluated = await run(
    evaluate,
    [test, "--model", out, "--json", "--html", report],
    { system },
  );
  assertEquals([evaluated.code, evaluated.stderr], [0, ""]);
  const { accuracy, confidence_interval, count } = JSON.parse(evaluated.stdout);
  assertEquals([accuracy, count, confidence_interval[1]], [1, 6, 1]);
  const html = Deno.readTextFileSync(report);
  assertStringIncludes(html, "grün; &lt;b&gt;");
  assert(!html.includes("<b>") && !/https?:/.test(html));
});

/** Photos whose classes mean nothing: all are of the same colour. */
async function meaningless(folder: TempFolder, name: string, count: number, seed: number) {
  for (let i = 0; i < 4 * count; i++) {
    folder.write(
      `${name}/${"abcd"[Math.floor(i / count)]}/${i}.png`,
      await picture([100, 100, 100], seed + 31 * i),
    );
  }
  return `${folder.path}/${name}`;
}

Deno.test("fit and evaluate say that a classifier is no better than guessing, and scores stay apart", async () => {
  using folder = new TempFolder();
  const source = await meaningless(folder, "photos", 5, 0);
  const out = `${folder.path}/my.onnx`;
  const args = [source, "--out", out, "--no-cache"];
  const sentence =
    /^fit: (this classifier is no better than guessing): of the photos left out it names \d+\.\d % right \(95 %: .*\), and guessing 25\.0 %; more photos a class would help, or a larger backbone \(--model\)\n$/;
  const forPeople = await run(fit, args);
  assertEquals(forPeople.code, 0);
  assertMatch(forPeople.stderr, sentence);
  assertStringIncludes(forPeople.stdout, "by guessing 25.0 %");
  assertStringIncludes(forPeople.stdout, "Scores are not calibrated");
  const { code, stdout, stderr } = await run(fit, [...args, "--json"]);
  assertEquals(code, 0);
  assertMatch(stderr, sentence);
  const report = JSON.parse(stdout);
  assertEquals([report.better_than_guessing, report.chance, report.calibrated], [
    false,
    0.25,
    false,
  ]);
  assert(report.confidence_interval[0] < 0.25 && report.accuracy < report.confidence_interval[1]);

  const test = await meaningless(folder, "test", 5, 500);
  const named = await run(classify, [test, "--model", out, "--json"]);
  const best = named.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).labels[0].score);
  const mean = best.reduce((sum, score) => sum + score, 0) / best.length;
  assert(mean > 0.28 && mean < 0.5, `${mean}`);

  const html = `${folder.path}/report.html`;
  const evaluated = await run(evaluate, [test, "--model", out, "--json", "--html", html]);
  assertEquals(evaluated.code, 0);
  assertStringIncludes(evaluated.stderr, "evaluate: this classifier is no better than guessing");
  assertEquals(JSON.parse(evaluated.stdout).better_than_guessing, false);
  const page = Deno.readTextFileSync(html);
  assertStringIncludes(
    page,
    `<p class="warning">This classifier is no better than guessing: of these`,
  );
});

Deno.test("few photos are told to be too few, and evaluate --shots says what is guessing", async () => {
  using folder = new TempFolder();
  for (const [label, image] of [["ship", "ship"], ["dog", "dog"], ["cat", "truck"]]) {
    folder.write(`photos/${label}/1.jpg`, Deno.readFileSync(`test/images/${image}.jpg`));
  }
  folder.write("photos/dog/2.jpg", Deno.readFileSync("test/images/horse.jpg"));
  const few = await run(evaluate, [`${folder.path}/photos`]);
  assertEquals(few.code, 0);
  assertStringIncludes(
    few.stderr,
    "evaluate: 4 photos are too few to tell this classifier from guess",
  );
  assertStringIncludes(few.stderr, "; evaluate it on more photos\n");
  const none = await meaningless(folder, "none", 4, 9);
  const shots = ["--shots", "2", "--splits", "4", "--no-cache"];
  assertStringIncludes(
    (await run(evaluate, [none, ...shots])).stdout,
    "  no better than guessing, 25",
  );
  const { better_than_guessing, chance, confidence_interval: [low, high] } = JSON.parse(
    (await run(evaluate, [none, ...shots, "--json"])).stdout,
  );
  assertEquals([better_than_guessing, chance], [false, 0.25]);
  assert(low >= 0 && high <= 1);
  const good = await run(evaluate, [await photos(folder, "good", 4), ...shots, "--json"]);
  assert(JSON.parse(good.stdout).better_than_guessing);
});

Deno.test("the HTML report has precision and F1, the model's name and the command", async () => {
  using folder = new TempFolder();
  for (const name of ["ship", "dog"]) {
    folder.write(`my photos/${name}/1.jpg`, Deno.readFileSync(`test/images/${name}.jpg`));
  }
  folder.write("my photos/dog/2.jpg", Deno.readFileSync("test/images/frog.jpg"));
  const html = `${folder.path}/r.html`;
  const model = "functions/_shared/model.onnx";
  const photos = `${folder.path}/my photos`;
  await run(evaluate, [photos, "--html", html, "--model", model]);
  const page = Deno.readTextFileSync(html);
  const row = (label: string, ...cells: string[]) =>
    assertStringIncludes(page, `<tr><th>${label}<td>${cells.join("<td>")}<tr>`);
  assertStringIncludes(page, "<th>recall<th>precision<th>F1");
  row("dog", "2", "50.0 %", "100.0 %", "66.7 %"); // of two, one is taken for a frog
  row("frog", "0", "", "0.0 %", "");
  assertStringIncludes(page, `<p>Model: ${model}<br>`);
  assertStringIncludes(
    page,
    `<code>deno task evaluate &#39;${photos}&#39; --html ${html} --model ${model}</code>`,
  );
  await run(evaluate, [photos, "--html", html]);
  assertStringIncludes(Deno.readTextFileSync(html), "<p>Model: the embedded model<br>");
});

Deno.test("fit and evaluate write the same bytes, whatever --jobs", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 7);
  const few = await photos(folder, "few", 2);
  folder.write("photos/red/broken.png", "x");
  folder.write("photos/red/twin.png", Deno.readFileSync(`${source}/red/3.png`));
  const test = await photos(folder, "test", 4, { seed: 7000 });
  // Two of them are right for the embedded model, and the page shows the others.
  for (const name of ["ship", "dog", "frog", "deer"]) {
    folder.write(`own/${name}/1.jpg`, Deno.readFileSync(`test/images/${name}.jpg`));
    folder.write(`own/${name}/2.jpg`, Deno.readFileSync("test/images/bird.jpg"));
  }
  const outcomes = [];
  for (const jobs of [[], ["--jobs", "1"], ["--jobs", "2"], ["--jobs", "3", "--threads", "2"]]) {
    const out = `${folder.path}/my.onnx`;
    const html = `${folder.path}/report.html`;
    const shared = [...jobs, "--no-cache", "--json"];
    const results = [];
    for (const args of [[few, "--augment"], [source]]) {
      const fitted = await run(fit, [...args, "--out", out, ...shared]);
      assertEquals(fitted.code, 0);
      results.push(fitted, Deno.readFileSync(out));
    }
    for (const args of [[test, "--model", out], [`${folder.path}/own`]]) {
      const evaluated = await run(evaluate, [...args, "--html", html, ...shared]);
      assertEquals(evaluated.code, 0);
      const page = Deno.readTextFileSync(html).replace(/<code>.*?<\/code>/, "");
      results.push(evaluated, page);
    }
    assertStringIncludes(String(results.at(-1)), "data:image/png;base64,");
    outcomes.push(results);
  }
  for (const results of outcomes.slice(1)) assertEquals(results, outcomes[0]);
});

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

Deno.test("fit takes tables, and says what of them is missing", async () => {
  using folder = new TempFolder();
  await photos(folder, "photos", 2);
  const rows = ["red", "dark blue"].flatMap((label) =>
    [0, 1].map((i) => ({ path: `photos/${label}/${i}.png`, label: `a "${label}", one` }))
  );
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const csv = rows.map(({ path, label }) => `${quote(label)},${quote(path)},x`);
  const tables = {
    "with.csv": ["label,path,more", ...csv].join("\n"),
    "capitals.csv": ["Label, Path,more", ...csv].join("\n"),
    "without.csv": rows.map(({ path, label }) => `${path},${quote(label)}`).join("\r\n"),
    "rows.jsonl": rows.map((row) => JSON.stringify(row)).join("\n") + "\n",
  };
  for (const [name, text] of Object.entries(tables)) {
    const table = folder.write(name, text);
    const args = [table, "--out", `${folder.path}/my.onnx`, "--json", "--no-cache"];
    const { code, stdout, stderr } = await run(fit, args);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(JSON.parse(stdout).labels, [`a "dark blue", one`, `a "red", one`]);
  }
  const missing = folder.write("missing.csv", tables["with.csv"] + "\nred,nowhere.png,x");
  const args = [missing, "--out", `${folder.path}/my.onnx`, "--no-cache"];
  const { code, stderr } = await run(fit, args);
  assertEquals(code, 1); // the class "red" has no image but that
  assertStringIncludes(stderr, "nowhere.png: no such file");
  assertStringIncludes(stderr, "the class red has no image");
  for (
    const [name, text, message] of [
      ["bad.jsonl", "{", "line 1 is not JSON"],
      ["half.jsonl", `{"path": "a.png"}`, "row 1 has no label"],
      ["half.csv", "a.png", "row 1 has no label"],
      ["other.jsonl", `{"image": "a.png", "class": "x"}`, "row 1 has no path, but image, class;"],
      [
        "header.csv",
        "filename,class\na.png,x",
        "header.csv: its header is filename,class; it takes",
      ],
      ["semicolons.csv", "path;label\na.png;x", "its header is path;label; it takes"],
      ["some.csv", "path,class\na.png,x", "its header is path,class; it takes"],
      ["empty.csv", "", "it has no rows"],
      ["photos.txt", "x", "neither a folder nor a table"],
    ] as const
  ) {
    const table = folder.write(name, text);
    const { code, stderr } = await run(fit, [table, "--out", `${folder.path}/x.onnx`]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, message);
  }
});

Deno.test("fit leaves out what is unreadable, twice there, or of two classes", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 4);
  folder.write("photos/red/broken.png", "no picture");
  const same = Deno.readFileSync(`${source}/red/0.png`);
  folder.write("photos/red/again.png", same);
  const contradiction = Deno.readFileSync(`${source}/dark blue/0.png`);
  folder.write("photos/red/blue.png", contradiction);
  folder.write("photos/stray.png", same);
  const args = [source, "--out", `${folder.path}/my.onnx`, "--no-cache", "--json"];
  const { code, stdout, stderr } = await run(fit, args);
  assertEquals(code, 0);
  assertStringIncludes(stderr, "1 files right in it are left out");
  assertMatch(stderr, /red\/broken\.png: Cannot decode/);
  assertMatch(stderr, /red\/again\.png|red\/0\.png: duplicate of/);
  assertMatch(stderr, /red\/blue\.png: duplicate of .*, which is labelled dark blue, not red/);
  assertStringIncludes(stderr, "fit: 4 of 15 images were skipped");
  const { labels, counts, skipped } = JSON.parse(stdout);
  assertEquals([labels, counts, skipped], [["dark blue", "grün; <b>", "red"], [3, 4, 4], 4]);
});

Deno.test("fit and evaluate count image files that they do not decode", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 1);
  folder.write("photos/red/1.HEIC", "x");
  folder.write("photos/dark blue/deep/2.tif", "x");
  folder.write("photos/dark blue/3.heif", "x");
  const left = "left out: 2 HEIC, 1 TIFF; convert them to JPEG or PNG\n";
  const out = `${folder.path}/my.onnx`;
  const fitted = await run(fit, [source, "--out", out, "--no-cache", "--json"]);
  assertEquals([fitted.code, fitted.stderr], [0, `fit: ${left}`]);
  assertEquals(JSON.parse(fitted.stdout).counts, [1, 1, 1]);
  const evaluated = await run(evaluate, [source, "--model", out, "--no-cache", "--json"]);
  assertStringIncludes(evaluated.stderr, `evaluate: ${left}`);
});

for (
  const [what, prepare, message] of [
    ["an empty folder", () => {}, "there is no folder in it"],
    ["one class only", (f: TempFolder) => photos(f, "p", 2, { classes: ["red"] }), "one class"],
    ["a class without images", async (f: TempFolder) => {
      await photos(f, "p", 2);
      f.write("p/empty/notes.txt", "x");
    }, "the class empty has no image"],
    ["a class of broken images", async (f: TempFolder) => {
      await photos(f, "p", 2);
      f.write("p/broken/1.png", "x");
      f.write("p/broken/2.png", "y");
    }, "the class broken has no image: all 2 of its files"],
  ] as const
) {
  Deno.test(`fit refuses ${what} and writes nothing`, async () => {
    using folder = new TempFolder();
    Deno.mkdirSync(`${folder.path}/p`);
    await prepare(folder);
    const out = `${folder.path}/my.onnx`;
    const { code, stderr, stdout } = await run(fit, [
      `${folder.path}/p`,
      "--out",
      out,
      "--no-cache",
    ]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, message);
    assert(!exists(out));
  });
}

Deno.test("fit refuses options that make no sense before it reads a photo", async () => {
  const refuses = async (args: string[], message: string, expected = 2) => {
    const { code, stderr } = await run(fit, args);
    assertEquals(code, expected);
    assertStringIncludes(stderr, message);
  };
  await refuses(["nowhere"], "--out is missing");
  await refuses([], "got 0");
  await refuses(["nowhere", "--out", "x", "--method", "magic"], "--method is magic");
  await refuses(["nowhere", "--out", "x", "--lambd", "1"], "the method is auto");
  await refuses(["nowhere", "--out", "x", "--lambd", "0", "--method", "ridge"], "--lambd is 0");
  await refuses(["nowhere", "--out", "x", "--unknown", "1"], "--unknown is 1");
  await refuses(["nowhere", "--out", "x", "--jobs", "0"], "--jobs is 0");
  await refuses(["nowhere", "--out", "x", "--head", "y"], "--head requires --add");
  await refuses(["--add", "nowhere"], "--add requires --model");
  await refuses(["nowhere", "--out", "no/such/x.onnx"], "its folder does not exist", 1);
  await refuses(["nowhere", "--out", "x.onnx"], "nowhere: no such file", 1);
});

Deno.test("fit --add adds photos and classes to a file, where that can be done", async () => {
  using folder = new TempFolder();
  const first = await photos(folder, "first", 3, { classes: ["red", "dark blue"] });
  const more = await photos(folder, "more", 2, { classes: ["red", "grün; <b>"], seed: 50 });
  const out = `${folder.path}/my.onnx`;
  const headOnly = `${folder.path}/head.onnx`;
  const shared = ["--no-cache", "--json"];
  for (const [method, ...options] of [["prototypes"], ["ridge", "--keep-features"]]) {
    await run(fit, [first, "--out", out, "--head-only", headOnly, "--method", method!, ...options]);
    for (const target of [["--model", out], ["--head", headOnly]]) {
      const { code, stdout } = await run(fit, ["--add", more, ...target, ...shared]);
      assertEquals(code, 0);
      const { labels, counts } = JSON.parse(stdout);
      assertEquals([labels, counts], [["dark blue", "grün; <b>", "red"], [3, 2, 5]]);
      const { stdout: line } = await run(classify, [
        `${more}/grün; <b>/0.png`,
        "--json",
        ...target,
      ]);
      assertEquals(JSON.parse(line).labels[0].label, "grün; <b>");
    }
  }
  await run(fit, [first, "--out", out, "--method", "logistic", "--no-cache"]);
  const before = Deno.readFileSync(out);
  const { code, stderr } = await run(fit, ["--add", more, "--model", out, "--no-cache"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "--keep-features");
  assertEquals(Deno.readFileSync(out), before);
  const embedded = "functions/_shared/model.onnx";
  const untouched = await run(fit, ["--add", more, "--model", embedded, "--no-cache"]);
  assertStringIncludes(untouched.stderr, "its classifier was not made by `deno task fit`");
});

for (const [method, ...options] of [["prototypes"], ["ridge", "--keep-features"]] as const) {
  Deno.test(`fit --add says which photos are in already, and leaves them out: ${method}`, async () => {
    using folder = new TempFolder();
    const first = await photos(folder, "first", 3, { classes: ["red", "dark blue"] });
    const out = `${folder.path}/my.onnx`;
    await run(fit, [first, "--out", out, "--method", method, ...options, "--no-cache"]);
    const before = Deno.readFileSync(out);
    const add = async (source: string, ...more: string[]) =>
      await run(fit, ["--add", source, "--model", out, "--no-cache", ...more]);

    const again = await add(first, "--json");
    assertEquals(again.code, 0);
    assertStringIncludes(
      again.stderr,
      "fit: 6 of 6 photos are already in the file and were skipped: ",
    );
    assertStringIncludes(again.stderr, `${first}/red/0.png`);
    const { counts, already } = JSON.parse(again.stdout);
    assertEquals([counts, already], [[3, 3], 6]);
    assertEquals(Deno.readFileSync(out), before);
    assertStringIncludes((await add(first)).stdout, "No new photos: no file written.");

    const more = await photos(folder, "more", 2, { classes: ["red", "grün; <b>"], seed: 50 });
    folder.write("more/red/copy.png", Deno.readFileSync(`${first}/red/2.png`));
    folder.write("more/red/blue.png", Deno.readFileSync(`${first}/dark blue/1.png`));
    const { stderr, stdout } = await add(more, "--json");
    assertStringIncludes(
      stderr,
      `fit: 2 of 6 photos are already in the file and were skipped: ${more}/red/blue.png (as dark blue, ` +
        `which is kept), ${more}/red/copy.png\n`,
    );
    assertEquals(JSON.parse(stdout).counts, [3, 2, 5]);
    // What was added is known, too.
    assertStringIncludes((await add(more)).stderr, "fit: 6 of 6 photos are already in the file");
  });
}

Deno.test("fit --add refuses what it would not heed", async () => {
  for (
    const [option, ...value] of [["--unknown", "0.1"], ["--method", "knn"], ["--keep-features"]]
  ) {
    const { code, stderr } = await run(fit, ["--add", "x", "--model", "y", option!, ...value]);
    assertEquals(code, 2);
    const reason = value.length > 0 ? `is ${value}, but --add` : "cannot be used with --add";
    assertStringIncludes(stderr, `${option} ${reason}`);
  }
});

Deno.test("classify --unknown tells what is none of the classes", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 6, { classes: ["red", "dark blue"] });
  const strange = await photos(folder, "strange", 4, { classes: ["grün; <b>"] });
  const out = `${folder.path}/my.onnx`;
  await run(fit, [source, "--out", out, "--no-cache", "--unknown", "0.1"]);
  const { stdout } = await run(classify, [strange, "--model", out, "--unknown", "--json"]);
  const [line] = stdout.split("\n").map((text) => JSON.parse(text || "{}"));
  assertEquals(line.labels.map(({ label }: { label: string }) => label)[0], "unknown");
  assertEquals(line.labels.length, 3);
  const plain = await run(classify, [strange, "--model", out, "--json"]);
  assert(!plain.stdout.includes(`"unknown"`));
  await run(fit, [source, "--out", out, "--no-cache", "--unknown", "0"]);
  assertEquals((await run(classify, [source, "--model", out, "--unknown"])).code, 0);
  const embedded = await run(classify, ["test/images/ship.jpg", "--unknown"]);
  assertEquals(embedded.code, 1);
  assertStringIncludes(embedded.stderr, "no rule for unknown images");
});

Deno.test("--augment fits on the mean of several views", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 2);
  const args = [source, "--out", `${folder.path}/my.onnx`, "--no-cache"];
  await run(fit, args);
  const plain = Deno.readFileSync(`${folder.path}/my.onnx`);
  const { code } = await run(fit, [...args, "--augment"]);
  assertEquals(code, 0);
  assertNotEquals(Deno.readFileSync(`${folder.path}/my.onnx`), plain);
});

Deno.test("evaluate says how the embedded model does, and what it does not know", async () => {
  using folder = new TempFolder();
  for (const name of ["ship", "dog", "frog"]) {
    folder.write(`photos/${name}/1.jpg`, Deno.readFileSync(`test/images/${name}.jpg`));
  }
  folder.write("photos/banana/1.jpg", Deno.readFileSync("test/images/bird.jpg"));
  folder.write("photos/dog/broken.jpg", "x");
  const { code, stdout, stderr } = await run(evaluate, [`${folder.path}/photos`]);
  assertEquals(code, 0);
  assertMatch(
    stdout,
    /^100\.0 % right {2}\(95 %: 43\.\d % to 100\.0 %; 3 photos; guessing: 33\.3 %\)/,
  );
  assertMatch(stdout, /\nship +1( +100\.0 %){3}\n/);
  assertStringIncludes(stderr, "1 photos have labels that the model does not know: banana");
  assertStringIncludes(stderr, "1 of 4 images were skipped");
});

Deno.test("evaluate --shots says what few photos would do, by each method", async () => {
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 4);
  const test = await photos(folder, "test", 2, { seed: 9000 });
  const shared = ["--shots", "1,2", "--splits", "3", "--no-cache"];
  const both = await run(evaluate, [
    test,
    "--support",
    source,
    ...shared,
    "--method",
    "auto,knn",
    "--json",
  ]);
  assertEquals([both.code, both.stderr], [0, ""]);
  const lines = both.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ method, shots }) => `${method} ${shots}`), [
    "auto 1",
    "auto 2",
    "knn 1",
    "knn 2",
  ]);
  assert(lines.every(({ accuracy, accuracies }) => accuracy > 0.9 && accuracies.length === 3));
  const { stdout } = await run(evaluate, [source, ...shared]);
  assertMatch(stdout, /^method +shots +accuracy +95 % interval\nauto +1 +\d+\.\d %/);
});

Deno.test("evaluate refuses what makes no sense", async () => {
  const refuses = async (args: string[], message: string, expected = 2) => {
    const { code, stderr } = await run(evaluate, args);
    assertEquals(code, expected);
    assertStringIncludes(stderr, message);
  };
  await refuses([], "got 0");
  await refuses(["x", "--splits", "3"], "--splits requires --shots");
  await refuses(["x", "--augment"], "--augment requires --shots");
  await refuses(["x", "--shots", "0"], "--shots is 0");
  await refuses(["x", "--jobs", "65"], "--jobs is 65");
  await refuses(["x", "--shots", "1", "--html", "y"], "--html cannot be used with --shots");
  await refuses(["x", "--shots", "1", "--method", "auto,magic"], "--method is magic");
  await refuses(["nowhere"], "nowhere: no such file", 1);
  using folder = new TempFolder();
  const source = await photos(folder, "photos", 1);
  await refuses([source], "no photo has a label that the model knows", 1);
  await refuses([source, "--shots", "2", "--no-cache"], "has 1, and it takes 3", 1);
});

Deno.test("writePng() writes what decodes to the same pixels", async () => {
  const image = { width: 7, height: 3, data: Uint8Array.from({ length: 63 }, (_, i) => 4 * i) };
  assertEquals(await decodeImage(await writePng(image)), image);
});
