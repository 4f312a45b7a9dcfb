import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MAX_POINTS } from "../../../src/cli/output/html/line_chart.ts";
import { MAX_ROWS } from "../../../src/cli/output/html/record_table.ts";
import { reportHtml } from "../../../src/cli/output/report_html.ts";
import { trainingHtml, type TrainingReport } from "../../../src/cli/output/training_html.ts";
import { evaluateLogits } from "../../../src/heads/evaluate/evaluate.ts";
import type { FinetuneRecord } from "../../../src/train/finetune/training_record.ts";
import { chartOf, checkedPage, count } from "./html_page.ts";
import { brokenTags } from "./html_tags.ts";
import { trainingRecords } from "./training_records.ts";

/** A page, checked for all that each page must be. */
async function pageOf(report: Partial<TrainingReport>): Promise<string> {
  return checkedPage(
    await trainingHtml({ title: "Trained", summary: [], records: [], ...report }),
  );
}

const evaluation = evaluateLogits(
  [[3, 0], [2, 0], [1, 2], [2, 0]].map((row) => Float32Array.from(row)),
  ["<b>", "<b>", "a & b", "a & b"],
  ["<b>", "a & b"],
);

Deno.test("a page of training shows curves of loss, accuracy, learning rate and gradient norm", async () => {
  const page = await pageOf({ records: trainingRecords(20) });
  const loss = chartOf(page, "Loss");
  assertEquals(count(loss, '<polyline class="line '), 3);
  for (const name of ["Training", "Held-out", "Held-out, averaged weights"]) {
    assertStringIncludes(loss, `>${name}</text>`);
  }
  assertStringIncludes(loss, 'role="img" aria-label="Loss by epoch;');
  assertStringIncludes(
    loss,
    "Training: 1.980 in epoch 1; lowest 0.095 in epoch 19; 0.122 in epoch 20.",
  );
  assertStringIncludes(loss, "<title>Training, epoch 20: 0.122</title>");
  const accuracy = chartOf(page, "Accuracy on held-out photos");
  assertEquals(count(accuracy, '<polyline class="line '), 2);
  assertStringIncludes(
    accuracy,
    "averaged weights: 28.3 % in epoch 1; 92.0 % in epoch 20, the highest.",
  );
  assertStringIncludes(accuracy, ">80 %</text>");
  assertEquals(count(chartOf(page, "Learning rate"), '<polyline class="line '), 1);
  assertEquals(count(chartOf(page, "Gradient norm"), "<circle"), 20);
});

Deno.test("the curves are drawn to scale", async () => {
  const [record] = trainingRecords(1) as [FinetuneRecord];
  const losses = [4, 2, 1];
  const records = losses.map((loss, i) => ({ ...record, epoch: i + 1, loss, learningRate: 1e-4 }));
  const page = await pageOf({ records });
  const at = [...chartOf(page, "Loss").matchAll(/mark training" cx="(.*?)" cy="(.*?)"/g)]
    .map(([_, x, y]) => [+x!, +y!]);
  assertEquals(at.length, 3);
  const [x1, y1, x2, y2, x3, y3] = at.flat() as [number, number, number, number, number, number];
  assert(Math.abs((x3 - x2) - (x2 - x1)) < 0.2 && x1 < x2, "epochs are equally far apart");
  assert(Math.abs((y2 - y1) - 2 * (y3 - y2)) < 0.3 && y1 < y2, "a smaller loss is lower");
  assertStringIncludes(chartOf(page, "Learning rate"), ">1e-4</text>");
});

Deno.test("a page of training shows the result as the report of an evaluation does", async () => {
  const thumbnail = { width: 1, height: 1, data: new Uint8Array(3) };
  const wrong = [{ file: "a/<i>.jpg", label: "<b>", guess: "a & b", score: 0.9, thumbnail }];
  const page = await pageOf({ records: trainingRecords(2), evaluation, wrong });
  assertStringIncludes(page, "<h2>Result: 75.0 % right</h2>");
  const report = await reportHtml(evaluation, { wrong, model: "m" });
  assertEquals(brokenTags(report), []);
  const sections = report.slice(report.indexOf("<p>4 photos;"));
  assert(sections.length > 1000);
  assertEquals(page.slice(page.indexOf("<p>4 photos;")), sections);
});

Deno.test("all that comes from users is escaped", async () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  const page = await pageOf({
    title: evil,
    summary: [[evil, evil]],
    command: evil,
    warning: evil,
    records: trainingRecords(2),
    evaluation,
  });
  assertEquals(count(page, "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"), 6);
  assert(!page.includes("<img") && !page.includes("<b>"));
});

Deno.test("a run that diverged has gaps where it has no figures, and says so", async () => {
  const records = trainingRecords(20).map((record, i) => {
    if (i !== 7 && i < 15) return record;
    const validation = { accuracy: NaN, loss: NaN, images: 50 };
    return { ...record, loss: i === 7 ? Infinity : NaN, gradientNorm: NaN, validation };
  });
  const page = await pageOf({ records });
  const loss = chartOf(page, "Loss");
  assertEquals(count(loss, '<polyline class="line training"'), 2);
  assertEquals(count(loss, '<polyline class="line averaged"'), 1);
  assertStringIncludes(
    loss,
    "0.292 in epoch 15, the lowest; not a finite number in 6 epochs, first in epoch 8.",
  );
  assertStringIncludes(page, "<td>Infinity");
});

Deno.test("figures of any size give a page", async () => {
  const [record] = trainingRecords(1) as [FinetuneRecord];
  const sizes = [NaN, Infinity, -Infinity, 0, -1, 5e-324, 1e-300, 1e299, 1.7e308, -1.7e308];
  for (const a of sizes) {
    for (const b of sizes) {
      const records = [a, b].map((y, i) => ({
        ...record,
        epoch: i + 1,
        loss: y,
        learningRate: y,
        gradientNorm: y,
        imagesPerSecond: y,
        seconds: y,
        validation: { accuracy: y > 1 ? 1 : y < 0 ? 0 : y, loss: y, images: 1 },
      }));
      await pageOf({ records });
    }
  }
});

Deno.test("small differences of accuracy look small, and the axis ends at 100 %", async () => {
  const ticksOf = async (accuracies: number[]) => {
    const records = accuracies.map((accuracy, i) => ({
      ...trainingRecords(2)[i]!,
      validation: { accuracy, loss: 1, images: 50 },
      averaged: { accuracy, loss: 1, images: 50 },
    }));
    const chart = chartOf(await pageOf({ records }), "Accuracy on held-out photos");
    return [...chart.matchAll(/>([0-9.]+) %<\/text>/g)].map(([_, tick]) => Number(tick));
  };
  assertEquals(await ticksOf([0.51, 0.52]), [46, 48, 50, 52, 54, 56, 58]);
  assertEquals(await ticksOf([1, 1]), [94, 96, 98, 100]);
  assertEquals(await ticksOf([0, 0]), [0, 2, 4, 6]);
});

Deno.test("a warning is a sentence, with one full stop", async () => {
  for (const warning of ["ended early", "Ended early."]) {
    assertStringIncludes(await pageOf({ warning }), '<p class="warning">Ended early.</p>');
  }
});

Deno.test("one epoch is a point, and none is said", async () => {
  const page = await pageOf({ records: trainingRecords(1) });
  assertEquals(count(chartOf(page, "Loss"), "<circle"), 3);
  assertStringIncludes(page, ">1</text>");
  assertStringIncludes(await pageOf({}), "No epoch was finished.");
});

Deno.test("without held-out photos the accuracy is not known", async () => {
  const records = trainingRecords(5).map(({ validation: _, averaged: __, ...record }) => record);
  const page = await pageOf({ records });
  assertStringIncludes(page, "No photos were held out");
  assertEquals(chartOf(page, "Accuracy on held-out photos"), "");
  assert(!page.includes("held-out right") && !page.includes(">Held-out</text>"));
});

Deno.test("of epochs that are not measured the curve has no points", async () => {
  const records = trainingRecords(9).map(({ validation, averaged: _, ...record }) =>
    record.epoch % 3 === 0 ? { ...record, validation: validation! } : record
  );
  const accuracy = chartOf(await pageOf({ records }), "Accuracy on held-out photos");
  assertEquals(count(accuracy, "<circle"), 3);
  assertEquals(count(accuracy, '<polyline class="line '), 1);
});

Deno.test("ten thousand epochs are thinned, and spikes and the last epoch are kept", async () => {
  const records = trainingRecords(10_000).map((record) =>
    record.epoch === 4567 ? { ...record, loss: 7.5 } : record
  );
  const page = await pageOf({ records });
  const loss = chartOf(page, "Loss");
  const points = count(loss, 'class="spot training"');
  assert(points > MAX_POINTS / 2 && points <= MAX_POINTS, `${points}`);
  assertStringIncludes(loss, "<title>Training, epoch 4567: 7.500</title>");
  assertStringIncludes(loss, "<title>Training, epoch 10000:");
  const rows = count(page, "<tr>") - 1;
  assert(rows > MAX_ROWS / 2 && rows <= MAX_ROWS, `${rows}`);
  assertStringIncludes(page, "<tr><td>10000");
  assertStringIncludes(page, "All figures of one in 50 epochs");
  assert(page.length < 500_000, `${page.length}`);
});

Deno.test("of an epoch that a resumed run repeats the last record counts, in any order", async () => {
  const [first, second, third] = trainingRecords(3) as [
    FinetuneRecord,
    FinetuneRecord,
    FinetuneRecord,
  ];
  const again = { ...second, loss: 1.5 };
  const page = await pageOf({ records: [third, first, second, again] });
  assertEquals(page, await pageOf({ records: [first, again, third] }));
});
