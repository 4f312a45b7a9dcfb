import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { classify } from "../../../src/cli/classify.ts";
import { evaluate } from "../../../src/cli/evaluate.ts";
import { fit } from "../../../src/cli/fit.ts";
import { run, TempFolder } from "../run.ts";
import { photos, picture } from "./photos.ts";

/** Photos whose classes mean nothing: all have the same colour. */
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
