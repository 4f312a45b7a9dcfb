import { assert, assertStringIncludes } from "@std/assert";
import type { PretrainedOptions } from "../../../src/model/pretrained/pretrained_options.ts";
import { ViTMSNModel } from "../../../src/model/vit_msn_model.ts";
import { simdRuntime } from "../../../src/runtime/simd/runtime.ts";
import { TempFolder } from "../../cli/run.ts";
import { goldenPath, maxDifference } from "../../golden/golden.ts";
import { outputsOfCase } from "../../golden/model.ts";
import { HubServer } from "../../hub/hub_server.ts";

/** A hub and a folder for its models. */
export class Setting implements AsyncDisposable {
  readonly hub = new HubServer();
  readonly cache = new TempFolder();
  readonly cached = `${this.cache.path}/org--tiny/main`;

  options(more: PretrainedOptions = {}): PretrainedOptions {
    return {
      endpoint: this.hub.endpoint,
      cache: this.cache.path,
      runtime: simdRuntime({ threads: 1 }),
      ...more,
    };
  }

  load(more?: PretrainedOptions, source: string | URL = "org/tiny"): Promise<ViTMSNModel> {
    return ViTMSNModel.fromPretrained(source, this.options(more));
  }

  /** What the hub was asked for since the last call. */
  asked(): string[] {
    const { asked } = this.hub;
    this.hub.received.length = 0;
    return asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub[Symbol.asyncDispose]();
    this.cache[Symbol.dispose]();
  }
}

/** Puts golden files on a hub, in place of all that it has. */
export function serve(hub: HubServer, files: Readonly<Record<string, Uint8Array | string>>): void {
  hub.files.clear();
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? Deno.readFileSync(goldenPath(content)) : content;
    hub.files.set(name, bytes as Uint8Array<ArrayBuffer>);
  }
}

/** Asserts that a model computes what PyTorch does, and disposes of it. */
export async function assertTiny(made: Promise<ViTMSNModel>, tolerance = 1e-4): Promise<void> {
  await using model = await made;
  const { actual, expected } = await outputsOfCase(model, "tiny");
  const of = (outputs: typeof actual) => outputs.get("logits")!.data as Float32Array;
  const difference = maxDifference(of(actual), of(expected));
  assert(difference < tolerance, `the logits differ by ${difference}`);
}

/** Asserts that a promise fails with an error of that class, whose message has these words. */
export async function assertFails(
  made: Promise<ViTMSNModel>,
  name: string,
  ...words: string[]
): Promise<void> {
  const error = await made.then(
    async (model) => {
      await model[Symbol.asyncDispose]();
      return new Error("it did not fail");
    },
    (error: Error) => error,
  );
  for (const word of [name, ...words]) {
    assertStringIncludes(`${error.name}: ${error.message}`, word);
  }
}
