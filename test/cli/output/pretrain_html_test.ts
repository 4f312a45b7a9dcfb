import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MAX_POINTS } from "../../../src/cli/output/html/line_chart.ts";
import { MAX_ROWS } from "../../../src/cli/output/html/record_table.ts";
import { pretrainHtml, type PretrainReport } from "../../../src/cli/output/pretrain_html.ts";
import type { PretrainRecord } from "../../../src/train/msn/pretrain_events.ts";
import { chartOf, checkedPage, count } from "./html_page.ts";
import { pretrainRecords } from "./pretrain_records.ts";

/** A page, checked for all that each page must be. */
async function pageOf(report: Partial<PretrainReport>): Promise<string> {
  return checkedPage(
    await pretrainHtml({ title: "Pre-trained", summary: [], records: [], ...report }),
  );
}

const CHARTS = [
  "k-NN accuracy",
  "Effective rank",
  "Prototypes in use",
  "Target entropy",
  "Loss and its parts",
  "Learning rate",
  "Gradient norm",
  "Images/s",
];

const chartsOf = (page: string) => CHARTS.filter((title) => chartOf(page, title) !== "");

Deno.test("a page of pre-training has a chart and an explanation of each figure", async () => {
  const page = await pageOf({ records: pretrainRecords(20) });
  assertEquals(chartsOf(page), CHARTS);
  for (const title of CHARTS) assert(page.includes(`<h2>${title}</h2>\n<p>`), title);
  assert(!page.includes("not known") && !page.includes('class="warning"'));

  const accuracy = chartOf(page, "k-NN accuracy");
  assertStringIncludes(
    accuracy,
    "k-NN accuracy: 31.0 % at 0 images; 74.0 % at 76,800 images, the highest.<br>" +
      "Before training: 31.0 %.<br>Guessing: 12.5 %.<",
  );
  assertStringIncludes(accuracy, "<title>k-NN accuracy, 3,840 images: 36.0 %</title>");
  assertStringIncludes(accuracy, ">20k</text>");
  assertStringIncludes(chartOf(page, "Effective rank"), "The largest possible is 191.");
  assertStringIncludes(
    chartOf(page, "Prototypes in use"),
    "520 at 3,840 images; 900 at 76,800 images.<br>There are 1,024 prototypes; the last record counts 3,840",
  );
  assertStringIncludes(
    chartOf(page, "Target entropy"),
    "2.000 nats at 76,800 images.<br>The largest possible is 6.931 nats, all of 1,024",
  );

  const loss = chartOf(page, "Loss and its parts");
  for (const name of ["Loss", "Cross-entropy", "Me-max", "Entropy"]) {
    assertStringIncludes(loss, `>${name}</text>`);
    assertEquals(
      count(loss, `<polyline class="line ${name === "Loss" ? "training" : name.toLowerCase()}"`),
      1,
    );
  }
  assertEquals(count(chartOf(page, "Gradient norm"), "<circle"), 20);
});

Deno.test("the levels before training and of guessing are drawn to scale", async () => {
  const accuracies = [0.5, 0.25, 0.75];
  const records = pretrainRecords(2).map((record, i) => ({
    ...record,
    knnAccuracy: accuracies[i]!,
    guessing: 0.25,
  }));
  const chart = chartOf(await pageOf({ records }), "k-NN accuracy");
  const at = [...chart.matchAll(/mark training" cx="(.*?)" cy="(.*?)"/g)].map((
    [_, x, y],
  ) => [x, y]);
  const levels = [...chart.matchAll(/line level[^>]* x1="76" x2="696" y1="(.*?)"/g)];
  assertEquals(levels.map(([_, y]) => y), [at[0]![1], at[1]![1]]);
  const [x1, x2, x3] = at.map(([x]) => Number(x)) as [number, number, number];
  assert(
    x1 < x2 && Math.abs((x3 - x2) - (x2 - x1)) < 0.2,
    "equally many images are equally far apart",
  );
});

Deno.test("all that comes from users is escaped", async () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  const page = await pageOf({
    title: evil,
    summary: [[evil, evil]],
    command: evil,
    warning: evil,
    records: pretrainRecords(2).map((record) => ({ ...record, alarm: evil })),
    sheet: { image: { width: 1, height: 1, data: new Uint8Array(3) }, caption: evil },
  });
  const escaped = "&lt;img src=x onerror=&quot;alert(&#39;#&#39;)&quot;&gt;&amp;";
  assertEquals(count(page.replaceAll("alert(&#39;1", "alert(&#39;#"), escaped), 8);
  assertEquals(count(page, "<img"), 1);
  assertStringIncludes(
    page,
    '<img class="sheet" alt="Views of photos" src="data:image/png;base64,',
  );
});

Deno.test("a warning and each alarm stand before the figures, with the step of the alarm", async () => {
  const alarms: Record<number, string> = {
    3: "Features have collapsed: their rank is 3.0; turn on criterion.me_max",
    4: "Features have collapsed: their rank is 2.5; turn on criterion.me_max",
    5: "Prototypes have collapsed: 3840 targets use 1 of 1024",
    7: "Features have collapsed: their rank is 1.25e-3; turn on criterion.me_max",
  };
  const records = pretrainRecords(8).map((record, i) =>
    alarms[i] === undefined ? record : { ...record, alarm: alarms[i] }
  );
  const page = await pageOf({ records, warning: "training ended early: the time is over" });
  const warnings = [...page.matchAll(/<p class="warning">(.*?)<\/p>/g)].map(([_, text]) => text);
  assertEquals(warnings, [
    "Training ended early: the time is over.",
    "At step 180 (11,520 images): Features have collapsed: their rank is 3.0; turn on criterion.me_max; " +
    "again in 2 later records, the last of step 420.",
    "At step 300 (19,200 images): Prototypes have collapsed: 3840 targets use 1 of 1024.",
  ]);
  assert(page.lastIndexOf('class="warning"') < page.indexOf("<h2>"));
  assertEquals(count(page, "<td>yes"), 4);
});

Deno.test("without records, or with that of the untrained network alone, the page says what is missing", async () => {
  const empty = await pageOf({});
  assertStringIncludes(empty, "<p>Nothing was measured.</p>");
  assertEquals(count(empty, "<svg") + count(empty, "<h2>"), 0);

  const untrained = await pageOf({ records: pretrainRecords(0) });
  assertEquals(chartsOf(untrained), ["k-NN accuracy", "Effective rank"]);
  assertEquals(count(chartOf(untrained, "k-NN accuracy"), "<circle"), 1);
  assertEquals(count(untrained, "<p>Training took no step that was measured, so "), 6);
  assertStringIncludes(untrained, "so the use of the prototypes is not known.</p>");
  assert(!untrained.includes("undefined"));
});

Deno.test("without labels the k-NN accuracy is not known", async () => {
  const records = pretrainRecords(5).map(({ knnAccuracy: _, guessing: __, ...record }) => record);
  const page = await pageOf({ records });
  assertStringIncludes(page, "<p>No photos have labels, or fewer than two classes");
  assertEquals(chartsOf(page), CHARTS.slice(1));
  assert(!page.includes(">Guessing</text>"));
  assert(!page.includes('<th scope="col">k-NN accuracy'));
});

Deno.test("a run that diverged has gaps where it has no figures, and says so", async () => {
  const records = pretrainRecords(20).map((record, i) => {
    if (i !== 7 && i < 15) return record;
    const features = { knnAccuracy: NaN, effectiveRank: NaN, featureSimilarity: NaN };
    return { ...record, ...features, loss: i === 7 ? Infinity : NaN, gradientNorm: NaN };
  });
  const page = await pageOf({ records });
  const loss = chartOf(page, "Loss and its parts");
  assertEquals(count(loss, '<polyline class="line training"'), 2);
  assertEquals(count(loss, '<polyline class="line cross-entropy"'), 1);
  assertStringIncludes(loss, "not a finite number in 7 records, first at 26,880 images.");
  assertStringIncludes(chartOf(page, "Effective rank"), "not a finite number in 7 records");
  assertStringIncludes(page, "<td>Infinity");
});

Deno.test("figures of any size give a page", async () => {
  const [untrained, trained] = pretrainRecords(1) as [PretrainRecord, PretrainRecord];
  const sizes = [NaN, Infinity, -Infinity, 0, -1, 5e-324, 1e-300, 1e299, 1.7e308, -1.7e308];
  for (const a of sizes) {
    for (const b of sizes) {
      const records = [a, b].map((y, i) => ({
        ...[untrained, trained][i]!,
        loss: y,
        crossEntropy: y,
        effectiveRank: y,
        featureSimilarity: y,
        targetEntropy: y,
        gradientNorm: y,
        learningRate: y,
        imagesPerSecond: y,
        seconds: y,
        knnAccuracy: y > 1 ? 1 : y < 0 ? 0 : y,
        guessing: y > 1 ? 1 : y < 0 ? 0 : y,
      }));
      await pageOf({ records });
    }
  }
});

Deno.test("ten thousand records are thinned, and spikes, alarms and the last record are kept", async () => {
  const records = pretrainRecords(10_000).map((record, i) =>
    i === 4567 ? { ...record, loss: 17.5, alarm: "one of 10" } : record
  );
  const page = await pageOf({ records });
  const loss = chartOf(page, "Loss and its parts");
  const points = count(loss, 'class="spot training"');
  assert(points > MAX_POINTS / 2 && points <= MAX_POINTS, `${points}`);
  assertStringIncludes(loss, "<title>Loss, 17,537,280 images: 17.500</title>");
  assertStringIncludes(loss, "<title>Loss, 38,400,000 images:");
  assertStringIncludes(loss, ">30M</text>");
  assertStringIncludes(page, "At step 274020 (17,537,280 images): one of 10.");
  const rows = count(page, "<tr>") - 1;
  assert(rows > MAX_ROWS / 2 && rows <= MAX_ROWS, `${rows}`);
  assertStringIncludes(page, "<tr><td>10000<td>600000<td>38,400,000");
  assertStringIncludes(page, "All figures of one in 51 records");
  assert(page.length < 1_000_000, `${page.length}`);
});

Deno.test("of a step that a resumed run repeats the last record counts, in any order", async () => {
  const [a, b, c] = pretrainRecords(2) as [PretrainRecord, PretrainRecord, PretrainRecord];
  const again = { ...b, loss: 1.5 };
  const page = await pageOf({ records: [c, a, b, again] });
  assertEquals(page, await pageOf({ records: [a, again, c] }));
  assertEquals(count(page, "<tr>") - 1, 3);
});

Deno.test("a page is light or dark as its reader chooses, and prints", async () => {
  const page = await pageOf({ records: pretrainRecords(1) });
  for (const rule of ["prefers-color-scheme: dark", "@media print", 'content="light dark"']) {
    assertStringIncludes(page, rule);
  }
});
