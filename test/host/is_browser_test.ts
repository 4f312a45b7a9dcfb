import { assertEquals } from "@std/assert";
import { isBrowser } from "../../src/host/is_browser.ts";

const chrome = { userAgent: "Mozilla/5.0" };

for (
  const [what, scope, expected] of [
    ["a page", { document: {}, navigator: chrome }, true],
    ["a browser's worker", { WorkerGlobalScope: class {}, navigator: chrome }, true],
    ["a page with a bundler's process", { document: {}, process: { versions: {} } }, true],
    ["Node.js", { process: { versions: { node: "20.16.0" } } }, false],
    [
      "Node.js with a simulated page",
      { document: {}, process: { versions: { node: "20.16.0" } } },
      false,
    ],
    ["a worker of Deno", { Deno: {}, WorkerGlobalScope: class {} }, false],
    [
      "a Cloudflare Worker",
      { WorkerGlobalScope: class {}, navigator: { userAgent: "Cloudflare-Workers" } },
      false,
    ],
    ["an unknown host", {}, false],
  ] as const
) {
  Deno.test(`isBrowser() is ${expected} for ${what}`, () =>
    assertEquals(isBrowser(scope), expected));
}
