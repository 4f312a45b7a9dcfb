import { assert, assertEquals } from "@std/assert";
import { fitAndReport } from "../../../src/web/teach/fit_report.ts";
import { clusters } from "../../heads/fit/samples.ts";

const ids = (n: number) => Array.from({ length: n }, (_, i) => String(i));

Deno.test("five photos a class are enough for a report on each of them", () => {
  const { features, labels } = clusters({ cat: 5, dog: 5, bird: 5 }, { noise: 0.3 });
  const { head, report } = fitAndReport(features, labels, ids(15));
  assertEquals(report.labels, ["bird", "cat", "dog"]);
  assertEquals(report.labels, head.labels);
  assertEquals(report.evaluation?.count, 15);
  assertEquals(report.evaluation?.confusion.flat().reduce((a, b) => a + b), 15);
  assertEquals(report.wrong, []);
  assert(report.isBetter && report.knowsUnknown);
});

Deno.test("a photo with a wrong label is the first of those it gets wrong", () => {
  const { features, labels } = clusters({ cat: 10, dog: 10 }, { noise: 0.3 });
  const { report } = fitAndReport(features, labels.with(3, "dog"), ids(20));
  const [first] = report.wrong;
  assertEquals([first?.index, first?.predicted], [3, "cat"]);
  assert(first!.score > first!.own);
  assertEquals(report.evaluation?.count, 20);
});

Deno.test("two photos a class are fitted, and their accuracy is not known", () => {
  const { features, labels } = clusters({ cat: 2, dog: 2 });
  const { report } = fitAndReport(features, labels, ids(4));
  assertEquals([report.method, report.evaluation, report.calibrated], [
    "prototypes",
    undefined,
    false,
  ]);
});
