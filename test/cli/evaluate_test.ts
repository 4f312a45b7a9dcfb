import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { evaluate } from "../../src/cli/evaluate.ts";
import { run, TempFolder } from "./run.ts";
import { photos } from "./fit/photos.ts";

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
