import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { downloadModel } from "../../src/hub/hub.ts";
import type { HubOptions } from "../../src/hub/hub_options.ts";
import { TempFolder } from "../cli/run.ts";
import { HubServer } from "./hub_server.ts";

export const NAME = { repo: "org/tiny", revision: "main" };
export const WEIGHTS = "model.safetensors";

/** A hub, a cache and everything else that a download needs. */
export class Setting implements AsyncDisposable {
  readonly hub = new HubServer();
  readonly cache = new TempFolder();
  readonly slept: number[] = [];
  readonly folder = `${this.cache.path}/org--tiny/main`;

  download(options: Partial<HubOptions> = {}, name = NAME): Promise<string> {
    return downloadModel(name, {
      cacheFolder: this.cache.path,
      endpoint: this.hub.endpoint,
      sleep: (milliseconds) => Promise.resolve(void this.slept.push(milliseconds)),
      ...options,
    });
  }

  async fails(message: string, options: Partial<HubOptions> = {}): Promise<void> {
    const error = await assertRejects(() => this.download(options), Error);
    assertStringIncludes(error.message, message);
    assert(!error.message.includes("secret"), error.message); // a signed link is one
  }

  names(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).toSorted();
  }

  assertWeights(): void {
    assertEquals(Deno.readFileSync(`${this.folder}/${WEIGHTS}`), this.hub.files.get(WEIGHTS));
  }

  /** What the CDN was asked for. */
  ranges(): (string | null)[] {
    return this.hub.received.filter(({ server }) => server === "cdn").map(({ range }) => range);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    this.cache[Symbol.dispose]();
  }
}
