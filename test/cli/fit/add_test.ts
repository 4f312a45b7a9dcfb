import { assertEquals, assertStringIncludes } from "@std/assert";
import { classify } from "../../../src/cli/classify.ts";
import { fit } from "../../../src/cli/fit.ts";
import { run, TempFolder } from "../run.ts";
import { photos } from "./photos.ts";

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
