// Visits a built page in Chromium and prints what happened, as JSON. For Node.js, which playwright needs.
// Arguments: the folder of the tools, the folder of the page, the folder of photos.

import { readFile } from "node:fs/promises";
import process from "node:process";
import { type Browser, type Context, launch, type Page } from "./playwright.ts";
import { seriousFinder } from "./serious.ts";
import { serveSite, type Site } from "./site.ts";

/** What a visit tells. */
export interface Visit {
  /** What is asserted of every visit: errors, violations, requests to others. */
  readonly wrongs: readonly string[];
  readonly [name: string]: unknown;
}

const [tools, folder, photos, screenshots] = process.argv.slice(2) as [
  string,
  string,
  string,
  string?,
];
const serious = await seriousFinder(tools);

/** Runs before the page's scripts: keeps what the worker answers, and violations. */
const WATCH = `
globalThis.replies = [];
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage");
Object.defineProperty(Worker.prototype, "onmessage", {
  set(listener) {
    set.call(this, (event) => {
      if (event.data.reply) replies.push(event.data.reply);
      listener(event);
    });
  },
});
`;

/** The patch for a browser without relaxed SIMD. It reaches workers, too. */
const PLAIN = "WebAssembly.validate = () => false;";

/** Opens the page, does something there, and tells what went wrong. */
async function visit(
  browser: Browser,
  site: Site,
  work: (page: Page, context: Context) => Promise<Record<string, unknown>>,
  options: Record<string, unknown> = {},
): Promise<Visit> {
  const wrongs: string[] = [];
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  await context.addInitScript(WATCH);
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(site.url) && !/^(blob|data):/.test(url)) wrongs.push(`asks for ${url}`);
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => wrongs.push(String(error)));
  page.on("console", (message) => {
    // Of this program: it reads canvases, and blocks service workers.
    if (/willReadFrequently|blocked by Playwright/.test(message.text())) return;
    wrongs.push(`${message.type()}: ${message.text()} ${message.location().url}`);
  });
  try {
    const result = await work(page, context);
    wrongs.push(...await page.evaluate<string[]>("violations"));
    return { ...result, wrongs };
  } finally {
    await context.close();
    await site.close();
  }
}

/** Waits until an expression is true. playwright's own function evaluates it against the page's policy. */
async function until(page: Page, expression: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!await page.evaluate(`Boolean(${expression})`)) {
    if (Date.now() > deadline) throw new Error(`Waited for nothing: ${expression}`);
    await page.waitForTimeout(20);
  }
}

/** Waits until the engine is there; what it is. */
async function engine(page: Page): Promise<string> {
  await until(page, `/WebAssembly/.test(document.querySelector(".engine")?.textContent)`);
  return (await page.locator(".engine").textContent())!;
}

async function answered(page: Page, count: number): Promise<void> {
  await until(page, `document.querySelectorAll(".card .steps").length === ${count}`);
}

/** The labels of each photo, as the worker answered them. */
const LABELS = "replies.filter(({ width, labels }) => width && labels).map(({ labels }) => labels)";

async function see(browser: Browser): Promise<Visit> {
  const site = await serveSite(folder, { withHeaders: true });
  return await visit(browser, site, async (page) => {
    await page.goto(site.url);
    const usual = await engine(page);
    await page.locator(".examples button").first().click();
    await answered(page, 1);
    const input = page.locator("input[type=file]").first();
    await input.setInputFiles([`${photos}/dog.jpg`, `${photos}/scene.png`, `${photos}/scene.webp`]);
    await answered(page, 4);
    const labels = await page.evaluate(LABELS);

    // While it infers, the main thread stays free. On a busy machine, one of three tries must show it.
    const blocked: number[] = [];
    for (let i = 0; i < 3 && !blocked.includes(0); i++) {
      await page.evaluate(`globalThis.tasks = [];
        globalThis.observer ??= new PerformanceObserver((list) => tasks.push(...list.getEntries()));
        observer.observe({ type: "longtask" })`);
      await input.setInputFiles(Array(8).fill(`${photos}/dog.jpg`));
      await answered(page, 12 + 8 * i);
      await page.waitForTimeout(200);
      blocked.push(await page.evaluate("Math.max(0, ...tasks.map(({ duration }) => duration))"));
    }

    // Dropped and pasted.
    const before = await page.locator(".card").count();
    await page.evaluate(`(async () => {
      const data = new DataTransfer();
      data.items.add(new File([await (await fetch("examples/frog.jpg")).blob()], "dropped.jpg"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
    })()`);
    await answered(page, before + 2);

    // Of the camera.
    await page.getByRole("button", { name: "Use the camera" }).click();
    await until(page, `document.querySelector("video")?.videoWidth > 0`);
    await page.getByRole("button", { name: "Take a photo" }).click();
    await answered(page, before + 3);
    await page.getByRole("button", { name: "Turn the camera off" }).click();

    // A file that is no photo.
    await input.setInputFiles(`${photos}/notes.txt`);
    await page.locator(".card .error").waitFor();
    const refusal = await page.locator(".card .error").textContent();
    const found = await serious(page);

    // Another model.
    const model = page.locator("input[type=file]").nth(1);
    await model.setInputFiles(`${photos}/broken.onnx`);
    await page.locator(".banner").waitFor();
    const broken = await page.locator(".banner").textContent();
    await model.setInputFiles(`${photos}/mine.onnx`);
    await until(page, `/mine/.test(document.querySelector(".model dd")?.textContent)`);
    await answered(page, before + 3);
    return { engine: usual, labels, blocked, refusal, found, broken };
  });
}

async function explain(browser: Browser): Promise<Visit> {
  const site = await serveSite(folder, { withHeaders: true });
  return await visit(browser, site, async (page) => {
    await page.goto(`${site.url}#explain`);
    await page.locator("input[type=file]").first().setInputFiles(`${photos}/dog.jpg`);
    const drawn = async (part: string) => {
      await until(
        page,
        `document.querySelector("figure canvas")?.getAttribute("aria-label").includes("${part}") &&
          document.querySelector(".explain").ariaBusy === "false"`,
      );
      return await page.evaluate(`(async () => {
        const { width, height } = document.querySelector("figure canvas");
        const { data } = document.querySelector("figure canvas").getContext("2d").getImageData(0, 0, width, height);
        const digest = await crypto.subtle.digest("SHA-256", data.filter((_, i) => i % 4 < 3));
        const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        return { width, height, sha256 };
      })()`);
    };
    const mean = await drawn("block 5, mean");
    const { weights } = await page.evaluate<{ weights: number[] }>(
      `(({ map }) => ({ weights: [...map.weights] }))(replies.findLast(({ map }) => map))`,
    );
    const slide = (name: string, value: string) =>
      page.getByRole("slider", { name, exact: true }).fill(value);
    await page.locator(".choice label").nth(2).click(); // head 1
    await slide("Block", "3");
    await slide("Threshold", "0.6");
    const head = await drawn("block 3, head 1; the patches that hold 60");
    await page.getByRole("button", { name: "Block 2, Rollout", exact: true }).click();
    await slide("Threshold", "1");
    const rollout = await drawn("blocks 0 to 2");
    await slide("Keep patches", "0.25");
    const kept = await drawn("dropped");
    const keptLabels = await page.evaluate(
      `replies.findLast(({ attentions }) => attentions).attentions.labels`,
    );
    return { mean, weights, head, rollout, kept, keptLabels, found: await serious(page) };
  });
}

/** A host that sends no headers; then one that is gone. */
async function bare(browser: Browser): Promise<Visit> {
  const site = await serveSite(folder, { withHeaders: false });
  return await visit(browser, site, async (page) => {
    await page.goto(site.url);
    const first = await engine(page);
    await page.locator(".examples button").first().click();
    await answered(page, 1);
    const labels = await page.evaluate(LABELS);
    await until(page, "navigator.serviceWorker.controller !== null");
    await page.reload();
    const second = await engine(page);
    // Something else at the same address is not hidden, and the page comes back.
    // Its icon is empty, or the browser may ask for /favicon.ico when the page is back, which has another.
    site.other = '<title>Another</title><link rel="icon" href="data:,">';
    await page.reload();
    const other = await page.evaluate("document.title");
    site.other = undefined;
    await page.reload();
    await engine(page);
    await until(page, "navigator.serviceWorker.controller !== null");
    await page.reload();
    await engine(page);
    await site.close();
    const asked = site.requests.length;
    await page.reload();
    const offline = await engine(page);
    await page.locator(".examples button").first().click();
    await answered(page, 1);
    const offlineLabels = await page.evaluate(LABELS);
    await page.locator(".card a").click(); // Explain was not opened before
    await page.locator("figure canvas").waitFor();
    return {
      first,
      second,
      other,
      offline,
      labels,
      offlineLabels,
      asked: site.requests.length - asked,
    };
  });
}

/** A browser without relaxed SIMD. */
async function plain(browser: Browser): Promise<Visit> {
  const site = await serveSite(folder, { withHeaders: true });
  return await visit(browser, site, async (page, context) => {
    await context.route("**/*.js", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: PLAIN + await response.text() });
    });
    await page.goto(site.url);
    const usual = await engine(page);
    await page.locator("input[type=file]").first().setInputFiles(`${photos}/dog.jpg`);
    await answered(page, 1);
    return { engine: usual, labels: await page.evaluate(LABELS) };
  }, { serviceWorkers: "block" });
}

/** A model of the hub, which only the visitor can ask for. A stand-in answers for the hub. */
async function hub(browser: Browser): Promise<Visit> {
  const site = await serveSite(folder, { withHeaders: true });
  const asked: string[] = [];
  const { wrongs, ...rest } = await visit(browser, site, async (page, context) => {
    await context.route("https://huggingface.co/**", async (route) => {
      const { pathname } = new URL(route.request().url());
      asked.push(pathname);
      const isThere = pathname === "/org/mine/resolve/main/model.onnx";
      await route.fulfill({
        status: isThere ? 200 : 404,
        headers: { "access-control-allow-origin": "*" },
        ...(isThere ? { body: await readFile(`${photos}/mine.onnx`) } : {}),
      });
    });
    await page.goto(site.url);
    await engine(page);
    await page.locator("input[type=file]").first().setInputFiles(`${photos}/dog.jpg`);
    await answered(page, 1);
    const load = async (name: string) => {
      await page.locator("#hub").fill(name);
      await page.getByRole("button", { name: "Load" }).click();
    };
    await load("org/mine");
    await until(page, `/org.mine/.test(document.querySelector(".model dd").textContent)`);
    await answered(page, 1);
    await load("org/none");
    await page.locator(".banner").waitFor();
    const missing = await page.locator(".banner").textContent();
    return { missing, labels: await page.evaluate(LABELS) };
  }, { serviceWorkers: "block" });
  const others = wrongs.filter((wrong) => !/asks for https:..huggingface.co|404/.test(wrong));
  return { ...rest, asked: asked[0], wrongs: others };
}

/** The time to the first label, while the model comes with 10 Mbit/s and all else is in the cache. */
async function speed(browser: Browser): Promise<Visit> {
  const modelSpeed = 1_250_000;
  const site = await serveSite(folder, { withHeaders: true, modelSpeed });
  return await visit(browser, site, async (page) => {
    const open = async () => {
      await page.goto(site.url);
      await page.locator(".examples button").first().click();
      await answered(page, 1);
      return await page.evaluate<number>("performance.now()");
    };
    const cold = await open();
    const scripts = [...new Set(site.requests.filter((path) => /\.(js|wasm)$/.test(path)))];
    await page.goto("about:blank");
    const warm = await open();
    const model = await page.evaluate<number>(
      "replies.find(({ engine }) => engine).milliseconds.download",
    );
    return { scripts, cold, warm, model };
  }, { serviceWorkers: "block" });
}

/** In the dark and on a phone: nothing is wider than the screen, and all is readable. */
async function looks(browser: Browser): Promise<Visit> {
  const site = await serveSite(folder, { withHeaders: true });
  return await visit(
    browser,
    site,
    async (page) => {
      await page.goto(site.url);
      await engine(page);
      await page.locator(".examples button").first().click();
      await answered(page, 1);
      const wide = `document.documentElement.scrollWidth - innerWidth`;
      const widths = [await page.evaluate(wide)];
      const found = await serious(page);
      if (screenshots) await page.screenshot({ path: `${screenshots}/see_phone_dark.png` });
      await page.locator(".card a").click();
      await page.locator("figure canvas").waitFor();
      await page.locator(".maps canvas").first().waitFor();
      widths.push(await page.evaluate(wide));
      if (screenshots) await page.screenshot({ path: `${screenshots}/explain_phone_dark.png` });
      return { widths, found: [...found, ...await serious(page)] };
    },
    { viewport: { width: 390, height: 844 }, colorScheme: "dark" },
  );
}

const browser = await launch(tools);
try {
  const visits: Record<string, Visit> = {};
  for (const [name, visit] of Object.entries({ see, explain, bare, plain, hub, speed, looks })) {
    console.error(name);
    visits[name] = await visit(browser);
  }
  console.log(JSON.stringify(visits));
} finally {
  await browser.close();
}
