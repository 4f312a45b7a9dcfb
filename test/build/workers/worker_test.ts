import { assertRejects } from "@std/assert";
import { cloudflareWorker, MAX_MODEL_BYTES } from "../../../src/build/workers/worker.ts";

Deno.test("cloudflareWorker() refuses a model that no Worker can hold", async () => {
  const model = { name: "model.packed", bytes: new Uint8Array(MAX_MODEL_BYTES + 1) };
  await assertRejects(
    () => cloudflareWorker({ out: "dist", model, decode: "fast" }),
    RangeError,
    "the model has 26214401 bytes, more than 26214400",
  );
});
