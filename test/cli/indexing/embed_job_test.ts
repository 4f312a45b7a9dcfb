import { assertEquals, assertRejects } from "@std/assert";
import { embedJob, UnreadableSourceError } from "../../../src/cli/indexing/embed_job.ts";
import { loadModel } from "../../../src/mod.ts";

const MODEL = await Deno.readFile("functions/_shared/model.onnx");

/** Embeds images of the folder test/images, listed in the folder test. */
async function embed(paths: readonly string[], source: string, signal: AbortSignal) {
  await using model = await loadModel(MODEL);
  const job = {
    source,
    folder: `${Deno.cwd()}/test`,
    images: paths.map((path) => ({ path, size: 1 })),
  };
  return await embedJob(job, "my-machine", {
    model,
    pool: "cls",
    decoding: {},
    jobs: 1,
    has: () => Promise.resolve(false),
    signal,
  });
}

const { signal } = new AbortController();

Deno.test("a job's paths begin in the folder where its source was listed", async () => {
  const { read, failed, left } = await embed(
    ["images/dog.jpg", "images/gone.jpg", "images/ship.jpg"],
    `${Deno.cwd()}/test/images`,
    signal,
  );
  assertEquals(read.map(({ path, vector }) => [path, vector?.length]), [
    ["images/dog.jpg", 192],
    ["images/ship.jpg", 192],
  ]);
  assertEquals(failed.map(({ path, error }) => [path, error]), [
    ["images/gone.jpg", "no such file"],
  ]);
  assertEquals(left, []);
});

Deno.test("a worker that is interrupted leaves what it has not begun", async () => {
  const { read, left } = await embed(
    ["images/dog.jpg", "images/ship.jpg", "images/frog.jpg"],
    `${Deno.cwd()}/test/images`,
    AbortSignal.abort(),
  );
  assertEquals(read.map(({ path }) => path), ["images/dog.jpg"]);
  assertEquals(left.map(({ path }) => path), ["images/ship.jpg", "images/frog.jpg"]);
});

Deno.test("a source of another machine is an error that names both", async () => {
  await assertRejects(
    () => embed(["elsewhere/dog.jpg"], "/elsewhere", signal),
    UnreadableSourceError,
    "Cannot read /elsewhere: it is not on the machine my-machine; start workers where it can be read",
  );
});
