import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { classify } from "../../../src/cli/classify.ts";
import { evaluate } from "../../../src/cli/evaluate.ts";
import { fit } from "../../../src/cli/fit.ts";
import { writePng } from "../../../src/image/write_png.ts";
import { decodeImage } from "../../../src/image/decode_image.ts";
import { run, TempFolder } from "../run.ts";
import { exists, photos, systemOf } from "./photos.ts";

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

Deno.test("classify --unknown tells what belongs to no class", async () => {
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

Deno.test("writePng() writes what decodes to the same pixels", async () => {
  const image = { width: 7, height: 3, data: Uint8Array.from({ length: 63 }, (_, i) => 4 * i) };
  assertEquals(await decodeImage(await writePng(image)), image);
});
