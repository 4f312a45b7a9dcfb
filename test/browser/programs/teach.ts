// Teaches classes in a built page in Chromium and prints what happened, as JSON. For Node.js, which playwright needs.
// Arguments: the folder of the tools, the folder of the page, the folder of photos, which gets downloads, too.

import process from "node:process";
import { type Context, launch, type Page } from "./playwright.ts";
import { seriousFinder } from "./serious.ts";
import { serveSite } from "./site.ts";

const [tools, folder, photos, screenshots] = process.argv.slice(2) as [
  string,
  string,
  string,
  string?,
];
const serious = await seriousFinder(tools);

/** Runs before the page's scripts: keeps what the worker says of a photo, violations and long tasks. */
const WATCH = `
globalThis.predictions = [];
globalThis.violations = [];
globalThis.longest = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
}).observe({ type: "longtask" });
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
Object.defineProperty(Worker.prototype, "onmessage", {
  set(listener) {
    set.call(this, (event) => {
      if (Array.isArray(event.data.reply) && event.data.reply[0]?.label) predictions.push(event.data.reply);
      listener(event);
    });
  },
});
`;

const ACCURACY = `document.querySelector(".accuracy").textContent.trim()`;
const NOTICE = `document.querySelector(".notice").textContent.trim()`;

const CLASSES = {
  vehicles: ["airplane", "automobile", "ship", "truck"],
  animals: ["bird", "deer", "dog", "frog", "horse"],
};

const site = await serveSite(folder, { withHeaders: true });
const browser = await launch(tools, {
  flags: [`--use-file-for-fake-video-capture=${photos}/camera.y4m`],
});
const wrongs: string[] = [];
try {
  const taught = await visitor(taughtByFiles);
  console.log(JSON.stringify({
    taught,
    imported: await visitor(imported),
    recorded: await visitor(recorded),
    many: await manyInTime(),
    phone: await visitor(phone, { viewport: { width: 390, height: 844 }, colorScheme: "dark" }),
    wrongs,
  }));
} finally {
  await browser.close();
  await site.close();
}

/** A visitor who has never been here. */
async function visitor<T>(
  visit: (context: Context) => Promise<T>,
  options: Record<string, unknown> = {},
): Promise<T> {
  console.error(visit.name);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  await context.addInitScript(WATCH);
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(site.url) && !/^(blob|data):/.test(url)) wrongs.push(`asks for ${url}`);
  });
  try {
    return await visit(context);
  } finally {
    await context.close();
  }
}

/** Waits until an expression is true. The page's policy forbids the evaluation in the page that playwright waits by. */
async function until(page: Page, expression: string): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end;) {
    if (await page.evaluate(expression)) return;
    await page.waitForTimeout(20);
  }
  throw new Error(`Cannot go on: not true in 30 s: ${expression}`);
}

/** Opens a tab of the page. */
async function open(context: Context, tab: "teach" | "compare" = "teach"): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => wrongs.push(String(error)));
  page.on("console", (message) => wrongs.push(`${message.type()}: ${message.text()}`));
  await page.goto(`${site.url}#${tab}`);
  await page.locator(tab === "teach" ? ".new-class" : ".compare .drop").waitFor();
  return page;
}

async function close(page: Page): Promise<void> {
  wrongs.push(...await page.evaluate<string[]>("violations"));
  await page.close();
}

/** The number of photos that each class says it has. */
async function counts(page: Page): Promise<Record<string, string>> {
  return await page.evaluate(
    `Object.fromEntries([...document.querySelectorAll(".class")].map((card) =>
    [card.querySelector("input").value, card.querySelector(".count").textContent]))`,
  );
}

async function addClass(page: Page, name: string, files: readonly string[]): Promise<void> {
  const before = await page.locator(".class").count();
  await page.locator(".new-class input").fill(name);
  await page.locator(".new-class input").press("Enter");
  const card = page.locator(".class").nth(before);
  await card.waitFor();
  if (files.length === 0) return;
  await card.locator("input[type=file]").setInputFiles(files);
  await until(
    page,
    `document.querySelectorAll(".class")[${before}].querySelectorAll(".thumbs img").length === ${files.length}`,
  );
}

async function teach(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Teach/ }).click();
  await page.locator(".report").waitFor();
}

/** Downloads a file by its button. */
async function download(page: Page, button: string, name: string): Promise<void> {
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: button, exact: true }).click();
  await (await waiting).saveAs(`${photos}/${name}`);
}

async function shot(page: Page, name: string): Promise<void> {
  if (screenshots) await page.screenshot({ path: `${screenshots}/${name}.png`, fullPage: true });
}

/** Teaches by files, takes all away, corrects a label, and comes back. */
async function taughtByFiles(context: Context) {
  let page = await open(context);
  await until(page, `!document.querySelector(".loading").textContent.trim()`);
  const found = await serious(page);
  const canTeach = [await page.getByRole("button", { name: /^Teach/ }).isEnabled()];
  for (const [name, files] of Object.entries(CLASSES)) {
    await addClass(page, name, files.map((file) => `${photos}/${file}.jpg`));
  }
  const advice = await page.locator(".advice").textContent();
  canTeach.push(await page.getByRole("button", { name: /^Teach/ }).isEnabled());

  // The same photo again, and a file that is no photo.
  await page.locator(".class input[type=file]").first().setInputFiles([
    `${photos}/dog.jpg`,
    `${photos}/notes.txt`,
  ]);
  await until(page, `/notes.txt/.test(${NOTICE})`);
  const refusal = await page.evaluate(NOTICE);

  await teach(page);
  const accuracy = await page.evaluate(ACCURACY);
  const confusion = await page.evaluate(
    `[...document.querySelectorAll(".confusion td")].map((cell) => +cell.textContent)`,
  );
  await page.locator("input[aria-label='Try it on a photo']").setInputFiles(`${photos}/trial.jpg`);
  await page.locator(".tried .labels").waitFor();
  const prediction = await page.evaluate("predictions.at(-1)");
  await download(page, "my.onnx", "my.onnx");
  await download(page, "Head alone", "head.onnx");
  await download(page, "Embeddings", "embeddings.jsonl");
  await download(page, "Whole project", "project.zip");
  found.push(...await serious(page));
  await shot(page, "teach_desktop");

  // Closed, and opened again: all is there, and it is taught again at once.
  const before = await counts(page);
  await close(page);
  page = await open(context);
  await page.locator(".report").waitFor();
  const after = await counts(page);
  await page.locator("input[aria-label='Try it on a photo']").setInputFiles(`${photos}/trial.jpg`);
  await page.locator(".tried .labels").waitFor();
  const predictionAfter = await page.evaluate("predictions.at(-1)");

  // A photo that it gets wrong gets another label, and that is taught at once.
  await page.locator(".class").nth(1).locator("input[type=file]").setInputFiles(
    `${photos}/automobile2.jpg`,
  );
  await until(page, `document.querySelectorAll(".thumbs img").length === 10`);
  await teach(page);
  await until(page, `/ 10 photos/.test(document.querySelector(".report").textContent)`);
  await page.locator(".wrong select").first().waitFor();
  const wrong = await page.evaluate<{ label: string; is: string }>(`(() => {
    const select = document.querySelector(".wrong select");
    return { label: select.getAttribute("aria-label"), is: select.selectedOptions[0].textContent };
  })()`);
  const mislabelled = await counts(page);
  const report = await page.evaluate(`document.querySelector(".details").textContent`);
  const other = Object.keys(CLASSES).find((name) => name !== wrong.is)!;
  await page.locator(`select[aria-label="${wrong.label}"]`).selectOption({ label: other });
  await until(
    page,
    `document.querySelector(".details").textContent !== ${JSON.stringify(report)} &&
    !/have changed/.test(document.querySelector(".teach").textContent)`,
  );
  const corrected = await counts(page);

  // Renamed; deleted and brought back.
  await page.locator(".class-head input").first().fill("things that move");
  await page.locator(".class-head input").first().press("Enter");
  await page.getByRole("button", { name: "Delete the class animals" }).click();
  await until(page, `document.querySelectorAll(".class").length === 1`);
  await page.getByRole("button", { name: "Undo" }).click();
  await until(page, `document.querySelectorAll(".class").length === 2`);
  const restored = await counts(page);

  // Dropped on a class, and pasted into it.
  await page.evaluate(`(async () => {
    const data = new DataTransfer();
    data.items.add(new File([await (await fetch("examples/ship.jpg")).blob()], "again.jpg"));
    document.querySelectorAll(".class")[1]
      .dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
  })()`);
  await until(page, `/is in “.+” already/.test(${NOTICE})`);

  // Compare: by the keyboard.
  await page.locator("nav a[href='#compare']").click();
  const map = page.locator(".map");
  await map.waitFor();
  await map.focus();
  await until(page, `/in “/.test(document.querySelector(".pointed").textContent)`);
  await map.press("Enter");
  for (const key of ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowDown"]) {
    await map.press(key);
  }
  await map.press("Enter");
  await page.locator(".similarity strong").waitFor();
  const similarity = await page.locator(".similarity strong").textContent();
  const pair = await page.locator(".slot").allTextContents();
  const nearest = await page.locator(".nearest .hidden").allTextContents();
  found.push(...await serious(page));
  await shot(page, "compare_desktop");
  await close(page);
  return {
    advice,
    canTeach,
    refusal,
    accuracy,
    confusion,
    prediction,
    predictionAfter,
    before,
    after,
    wrong,
    mislabelled,
    corrected,
    restored,
    similarity,
    pair,
    nearest,
    found,
  };
}

/** Another browser gets the project, and then a file that is none. */
async function imported(context: Context) {
  const page = await open(context);
  const input = page.locator("input[aria-label='Import a project']");
  await until(page, `!document.querySelector("input[aria-label='Import a project']").disabled`);
  await input.setInputFiles(`${photos}/notes.txt`);
  await until(page, `/zip/.test(${NOTICE})`);
  const refusal = await page.evaluate(NOTICE);
  await until(page, `!document.querySelector("input[aria-label='Import a project']").disabled`);
  await input.setInputFiles(`${photos}/project.zip`);
  await page.locator(".report").waitFor();
  await page.locator("input[aria-label='Try it on a photo']").setInputFiles(`${photos}/trial.jpg`);
  await page.locator(".tried .labels").waitFor();
  const prediction = await page.evaluate("predictions.at(-1)");
  const before = await counts(page);

  // The model of the file has the same backbone: another file, so all is computed anew, and nothing differs.
  await page.locator("nav a[href='#see']").click();
  await page.locator(".model input[type=file]").setInputFiles(`${photos}/my.onnx`);
  await until(page, `/my/.test(document.querySelector(".model dd")?.textContent)`);
  await page.locator("nav a[href='#teach']").click();
  await page.evaluate("predictions.length = 0");
  await page.locator(".report").waitFor();
  await page.locator("input[aria-label='Try it on a photo']").setInputFiles(`${photos}/trial.jpg`);
  await until(page, "predictions.length > 0");
  const otherModel = await page.evaluate("predictions.at(-1)");
  const result = { refusal, counts: before, prediction, otherModel };
  await close(page);
  return result;
}

/** Records two classes with the camera: by the pointer and by the keyboard. */
async function recorded(context: Context) {
  const page = await open(context);
  await addClass(page, "left", []);
  await addClass(page, "right", []);
  await page.getByRole("button", { name: "Use the camera" }).click();
  await until(page, `document.querySelector("video")?.videoWidth > 0`);
  const some = (i: number) =>
    until(page, `parseInt(document.querySelectorAll(".count")[${i}].textContent) >= 5`);
  const records = page.locator(".record");
  await records.nth(0).hover();
  await page.mouse.down();
  await some(0);
  await page.mouse.up();
  await records.nth(1).focus();
  await page.keyboard.down(" ");
  await some(1);
  await page.keyboard.up(" ");
  await page.waitForTimeout(500);
  const before = await counts(page);
  await page.waitForTimeout(500);
  const after = await counts(page);
  await teach(page);
  await page.locator(".prediction .labels").waitFor();
  // The picture that the visitor sees is not black.
  const brightness = await page.evaluate(`(() => {
    const context = new OffscreenCanvas(16, 12).getContext("2d");
    context.drawImage(document.querySelector("video"), 0, 0, 16, 12);
    return Math.max(...context.getImageData(0, 0, 16, 12).data.filter((_, i) => i % 4 < 3));
  })()`);
  const live = await page.evaluate("predictions.length");
  await until(page, `predictions.length >= ${live} + 3`);
  await page.getByRole("button", { name: "Turn the camera off" }).click();
  await page.locator("video").count();
  const isOff = await page.evaluate(`document.querySelector("video") === null`);
  await close(page);
  return { before, after, isOff, brightness };
}

/** On a busy machine, one of three tries must show that the page answers, at each kind of work. */
async function manyInTime() {
  const result = await visitor(many);
  for (let i = 0; i < 2 && Math.max(...Object.values(result.longest)) > 100; i++) {
    const { longest } = await visitor(many);
    for (const [work, milliseconds] of Object.entries(longest)) {
      const key = work as keyof typeof longest;
      result.longest[key] = Math.min(result.longest[key], milliseconds);
    }
  }
  return result;
}

/** A project of 10,000 photos: the page answers while they come, when it opens again, and on the map. */
async function many(context: Context) {
  let page = await open(context);
  const longest = async () => {
    const value = await page.evaluate<number>("longest");
    await page.evaluate("longest = 0");
    return value;
  };
  await until(page, `!document.querySelector("input[aria-label='Import a project']").disabled`);
  await longest();
  await page.locator("input[aria-label='Import a project']").setInputFiles(`${photos}/many.zip`);
  await until(page, `/Imported/.test(${NOTICE})`);
  const importing = await longest();
  const first = await counts(page);
  await close(page);
  page = await open(context);
  await until(page, `document.querySelectorAll(".class").length === 10`);
  await page.waitForTimeout(500);
  const opening = await longest();
  const again = await counts(page);
  await page.locator("nav a[href='#compare']").click();
  await page.locator(".map").waitFor();
  await page.waitForTimeout(4000);
  const mapping = await longest();
  await page.locator(".map").focus();
  for (const key of ["ArrowRight", "Enter", "ArrowLeft", "Enter"]) {
    await page.locator(".map").press(key);
  }
  await page.locator(".similarity strong").waitFor();
  const comparing = await longest();
  await shot(page, "compare_many");
  await page.locator("nav a[href='#teach']").click();
  await page.locator(".new-class").waitFor();
  await download(page, "Whole project", "many_again.zip");
  const exporting = await longest();
  await close(page);
  return { longest: { importing, opening, mapping, comparing, exporting }, first, again };
}

/** On a phone in the dark: nothing is wider than the screen, and all is readable. */
async function phone(context: Context) {
  const page = await open(context);
  const wide = "document.documentElement.scrollWidth - innerWidth";
  const widths = [await page.evaluate(wide)];
  for (const [name, files] of Object.entries(CLASSES)) {
    await addClass(page, name, files.map((file) => `${photos}/${file}.jpg`));
  }
  await page.getByRole("button", { name: "Use the camera" }).click();
  await until(page, `document.querySelector("video")?.videoWidth > 0`);
  await teach(page);
  widths.push(await page.evaluate(wide));
  const found = await serious(page);
  await shot(page, "teach_phone_dark");
  await page.locator("nav a[href='#compare']").click();
  await page.locator(".map").waitFor();
  await page.waitForTimeout(300);
  widths.push(await page.evaluate(wide));
  found.push(...await serious(page));
  await shot(page, "compare_phone_dark");
  await close(page);
  return { widths, found };
}
