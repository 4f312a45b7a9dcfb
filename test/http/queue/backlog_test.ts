import { assert, assertEquals, assertThrows } from "@std/assert";
import { Backlog } from "../../../src/http/queue/backlog.ts";
import { Problem } from "../../../src/http/problem.ts";

const MEGAPIXELS_12 = 12_000_000;

Deno.test("as many images are on their way as may be, and one more when some have left", () => {
  const backlog = new Backlog({ maxImages: 3, decoders: 1 });
  const two = backlog.admit([1, 1], 2, 30_000);
  backlog.admit([1], 1, 30_000);
  assertEquals(backlog.images, 3);
  const problem = assertThrows(() => backlog.admit([1], 1, 30_000), Problem);
  assertEquals([problem.status, problem.headers], [429, { "retry-after": "1" }]);
  assertThrows(() => backlog.assertOpen(30_000), Problem);
  two[Symbol.dispose]();
  two[Symbol.dispose]();
  assertEquals(backlog.images, 1);
  backlog.assertOpen(30_000);
});

Deno.test("what could not be done in time is turned away, by what decoding has taken so far", () => {
  const backlog = new Backlog({ maxImages: 1000, decoders: 2 });
  const learn = (milliseconds: number) => {
    for (let i = 0; i < 50; i++) {
      using admission = backlog.admit([MEGAPIXELS_12], 1, 30_000);
      admission.decoded(MEGAPIXELS_12, milliseconds);
      backlog.inferred(1, 1);
    }
  };
  const capacity = () => {
    const admissions: Disposable[] = [];
    try {
      for (;;) admissions.push(backlog.admit([MEGAPIXELS_12], 1, 10_000));
    } catch (error) {
      assertEquals((error as Problem).status, 429);
      const wait = Number((error as Problem).headers["retry-after"]);
      assert(wait >= 7 && wait <= 8, `${wait}`);
    } finally {
      for (const admission of admissions) admission[Symbol.dispose]();
    }
    return admissions.length;
  };
  learn(400); // two at a time, 80 % of 10 s: 40
  const quick = capacity();
  assert(quick >= 36 && quick <= 42, `${quick}`);
  learn(1600);
  const slow = capacity();
  assert(slow >= 8 && slow <= 11, `${slow}`);
  assertEquals(backlog.images, 0);
});

Deno.test("an image that is alone is let in, whatever the estimate", () => {
  const backlog = new Backlog({ maxImages: 10, decoders: 1 });
  using _admission = backlog.admit([1e9], 1, 100);
  assertThrows(() => backlog.admit([1], 1, 100), Problem);
});
