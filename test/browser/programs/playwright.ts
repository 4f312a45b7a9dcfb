// What the programs use of playwright-core, which Deno's type check does not see.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

export interface Locator {
  click(): Promise<void>;
  fill(text: string): Promise<void>;
  textContent(): Promise<string | null>;
  waitFor(): Promise<void>;
  setInputFiles(files: string | readonly string[]): Promise<void>;
  first(): Locator;
  nth(index: number): Locator;
  count(): Promise<number>;
  hover(): Promise<void>;
  focus(): Promise<void>;
  press(key: string): Promise<void>;
  isEnabled(): Promise<boolean>;
  inputValue(): Promise<string>;
  allTextContents(): Promise<string[]>;
  selectOption(option: { label: string }): Promise<unknown>;
  locator(selector: string): Locator;
}

/** A file that the page gives to the visitor. */
export interface Download {
  saveAs(path: string): Promise<void>;
  suggestedFilename(): string;
}

export interface ConsoleMessage {
  type(): string;
  text(): string;
  location(): { readonly url: string };
}

export interface Page {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
  waitForTimeout(milliseconds: number): Promise<void>;
  locator(selector: string): Locator;
  getByRole(role: string, options: { name: string | RegExp; exact?: boolean }): Locator;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  readonly mouse: { down(): Promise<void>; up(): Promise<void> };
  readonly keyboard: { down(key: string): Promise<void>; up(key: string): Promise<void> };
  waitForEvent(event: "download"): Promise<Download>;
  on(event: "pageerror", listener: (error: Error) => void): void;
  on(event: "console", listener: (message: ConsoleMessage) => void): void;
  close(): Promise<void>;
}

export interface Route {
  request(): { url(): string };
  fetch(): Promise<{ text(): Promise<string> }>;
  fulfill(options: Record<string, unknown>): Promise<void>;
}

export interface Context {
  newPage(): Promise<Page>;
  addInitScript(script: string): Promise<void>;
  route(glob: string, handler: (route: Route) => Promise<void>): Promise<void>;
  on(event: "request", listener: (request: { url(): string }) => void): void;
  close(): Promise<void>;
}

export interface Browser {
  newContext(options: Record<string, unknown>): Promise<Context>;
  close(): Promise<void>;
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

/**
 * Starts Chromium.
 *
 * @param tools the folder that has playwright-core.
 * @param flags more flags.
 */
export async function launch(
  tools: string,
  { program = "chromium", flags = [] }: { program?: string; flags?: readonly string[] } = {},
): Promise<Browser> {
  const executablePath = process.env.PATH!.split(":").map((folder) => `${folder}/${program}`)
    .find(existsSync);
  const { chromium } = createRequire(`${tools}/package.json`)("playwright-core");
  return await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
}
