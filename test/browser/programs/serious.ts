import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "./playwright.ts";

/**
 * Reads axe.
 *
 * @param tools the folder that has it.
 * @returns a function that tells what axe finds in a page that is serious.
 */
export async function seriousFinder(tools: string): Promise<(page: Page) => Promise<string[]>> {
  const axe = await readFile(createRequire(`${tools}/package.json`).resolve("axe-core"), "utf8");
  return async (page) => {
    await page.evaluate(axe);
    return await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`);
  };
}
