import { assertEquals } from "@std/assert";
import { statusText } from "../../../src/cli/indexing/status_text.ts";

const NOTHING = {
  waiting: { jobs: 0, images: 0 },
  active: { jobs: 0, images: 0 },
  workers: [],
  rate: 0,
  secondsLeft: 0,
  failedImages: { count: 0, first: [] },
  deadJobs: { count: 0, first: [] },
};

Deno.test("the status of an index without work is two lines", () => {
  assertEquals(
    statusText("postgres://host/photos", { images: 3, vectors: 2 }, NOTHING),
    "postgres://host/photos: 3 images, 2 vectors\n" +
      "waiting: 0 images in 0 jobs; under way: 0 images in 0 jobs\n",
  );
});

Deno.test("the status says who works, how long it takes, and what failed", () => {
  const worker = { host: "a", failed: 1, silent: 0.6 };
  const text = statusText("photos", { images: 3, vectors: 2 }, {
    ...NOTHING,
    waiting: { jobs: 100, images: 3200 },
    active: { jobs: 1, images: 32 },
    workers: [
      { ...worker, id: "a/1/x", state: "live", images: 12345, rate: 53.86 },
      { ...worker, id: "\x1b[31m", state: "lost", images: 2, rate: 0, silent: 99 },
    ],
    rate: 53.86,
    secondsLeft: 60,
    failedImages: { count: 22, first: [{ source: "s", path: "b.jpg", error: "no image" }] },
    deadJobs: {
      count: 1,
      first: [{ source: "s", paths: ["c.jpg", "d.jpg"], tries: 5, error: "out of memory" }],
    },
  });
  assertEquals(text.split("\n"), [
    "photos: 3 images, 2 vectors",
    "waiting: 3200 images in 100 jobs; under way: 32 images in 1 job; 53.9 images/s, 1:00 left",
    "",
    "worker    state  images  failed  images/s  last seen",
    "a/1/x      live   12345       1      53.9    1 s ago",
    "\\x1b[31m   lost       2       1       0.0   99 s ago",
    "",
    "22 images that could not be read or decoded:",
    "  b.jpg: no image",
    "  and 21 more",
    "",
    "1 job that failed again and again; to try them again, enqueue their sources again:",
    "  c.jpg and 1 more (5 tries): out of memory",
    "",
  ]);
});

Deno.test("the status says that nobody works", () => {
  const { secondsLeft: _, ...nobody } = { ...NOTHING, waiting: { jobs: 1, images: 5 } };
  const [, line] = statusText("photos", { images: 0, vectors: 0 }, nobody).split("\n");
  assertEquals(
    line,
    "waiting: 5 images in 1 job; under way: 0 images in 0 jobs; nobody works on them",
  );
});
