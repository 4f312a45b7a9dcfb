// Serves folders as sites, opens each in Chromium, and prints what their pages leave in `result`, as a list.
// For Node.js, which playwright needs.
// Arguments: the folder of the tools, the name of Chromium's program, then for each site its folder, with `+isolated`
// behind it if it is served for cross-origin isolation, or with `+choose=FILE` if that file shall be chosen in
// the page's input, after which the text of its <pre> is the result.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import process from "node:process";

/** What this program uses of playwright-core. */
interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  setInputFiles(selector: string, file: string): Promise<void>;
  waitForFunction(expression: string): Promise<unknown>;
  on(event: "pageerror", listener: (error: Error) => void): void;
  close(): Promise<void>;
}
interface Playwright {
  chromium: {
    launch(options: Record<string, unknown>): Promise<{
      newPage(): Promise<Page>;
      close(): Promise<void>;
    }>;
  };
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  json: "application/json",
  wasm: "application/wasm",
};

/** `+isolated`: SharedArrayBuffer, and with it threads, need these headers. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const [tools, program, ...sites] = process.argv.slice(2) as [string, string, ...string[]];
const executablePath = process.env.PATH!.split(":").map((folder) => `${folder}/${program}`)
  .find(existsSync);
const { chromium } = createRequire(`${tools}/package.json`)("playwright-core") as Playwright;
const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  const results: unknown[] = [];
  for (const site of sites) results.push(await visit(site));
  console.log(JSON.stringify(results));
} finally {
  await browser.close();
}

async function visit(site: string): Promise<unknown> {
  const [folder, option] = site.split("+") as [string, string?];
  const chosen = option?.match(/^choose=(.*)$/)?.[1];
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url!, "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    try {
      const body = await readFile(folder + path);
      response.writeHead(200, {
        "content-type": TYPES[path.split(".").at(-1)!] ?? "application/octet-stream",
        ...(option === "isolated" ? ISOLATION : {}),
      }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  try {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    if (chosen) {
      // Its listener is there when the model is.
      await page.waitForFunction("document.querySelector('input').onchange");
      await page.setInputFiles("input", chosen);
      await page.waitForFunction("document.querySelector('pre').textContent");
      return await page.evaluate("document.querySelector('pre').textContent");
    }
    const result = await page.evaluate("globalThis.result");
    return { ...result as Record<string, unknown> | undefined, errors };
  } finally {
    await page.close();
    server.close();
  }
}
