import { assertEquals, assertRejects } from "@std/assert";
import { concat } from "@std/bytes/concat";
import type { ModelProto } from "../../../src/onnx/model_proto.ts";
import { GraphSessions } from "../../../src/runtime/onnxruntime/graph_sessions.ts";
import { toVariant } from "../../../src/runtime/onnxruntime/graph_variant.ts";
import type { Session } from "../../../src/runtime/runtime.ts";
import { parseConfig } from "../../../src/vit_msn/config.ts";
import { readModelFile, writeModelFile } from "../../../src/vit_msn/model_file.ts";
import { randomWeights, TINY_CONFIG } from "../../vit_msn/random_weights.ts";

const file = readModelFile(
  concat(writeModelFile(TINY_CONFIG, {}, randomWeights(parseConfig(TINY_CONFIG)), "f32")),
);

/** A runtime that writes down what is made and ended of it, and fails when it is told to. */
class FakeRuntime {
  readonly made: string[] = [];
  readonly ended: string[] = [];
  isBroken = false;

  createSession({ graph }: ModelProto): Promise<Session> {
    if (this.isBroken) return Promise.reject(new Error("broken"));
    const outputs = graph.outputs.map(({ name }) => name).join();
    this.made.push(outputs);
    return Promise.resolve({
      run: () => Promise.resolve(new Map()),
      [Symbol.asyncDispose]: () => Promise.resolve(void this.ended.push(outputs)),
    });
  }
}

async function sessionsOf(runtime: FakeRuntime): Promise<GraphSessions> {
  return new GraphSessions(
    await runtime.createSession(file.proto),
    ["last_hidden_state", "logits"],
    (variant) => runtime.createSession(toVariant(file, variant)),
  );
}

Deno.test("GraphSessions runs the plain graph for plain outputs and makes variants once", async () => {
  const runtime = new FakeRuntime();
  await using sessions = await sessionsOf(runtime);
  for (let i = 0; i < 3; i++) {
    await using _plain = await sessions.borrow({ outputs: ["logits"] });
    await using _variant = await sessions.borrow({ outputs: ["attentions"] });
  }
  assertEquals(runtime.made, ["last_hidden_state,logits", "attentions"]);
});

Deno.test("GraphSessions ends the variants that were not used for longest, but none in use", async () => {
  const runtime = new FakeRuntime();
  {
    await using sessions = await sessionsOf(runtime);
    const busy = await sessions.borrow({ outputs: ["attentions"] });
    for (const keptPatches of [1, 2, 3]) {
      await using _variant = await sessions.borrow({ outputs: ["logits"], keptPatches });
    }
    assertEquals(runtime.ended, ["logits", "logits"]);
    await busy[Symbol.asyncDispose]();
    assertEquals(runtime.ended.length, 2);
  }
  assertEquals(runtime.ended.length, runtime.made.length);
});

Deno.test("GraphSessions does not keep a failure", async () => {
  const runtime = new FakeRuntime();
  await using sessions = await sessionsOf(runtime);
  runtime.isBroken = true;
  await assertRejects(() => sessions.borrow({ outputs: ["attentions"] }), Error, "broken");
  runtime.isBroken = false;
  await using _variant = await sessions.borrow({ outputs: ["attentions"] });
  assertEquals(runtime.made.length, 2);
});

Deno.test("GraphSessions ends a session that is in use when it is given back, and makes no more", async () => {
  const runtime = new FakeRuntime();
  const sessions = await sessionsOf(runtime);
  const plain = await sessions.borrow({ outputs: ["logits"] });
  const variant = await sessions.borrow({ outputs: ["attentions"] });
  await sessions[Symbol.asyncDispose]();
  await sessions[Symbol.asyncDispose](); // once more does no harm
  assertEquals(runtime.ended, []);
  await assertRejects(() => sessions.borrow({ outputs: ["logits"] }), Error, "disposed of");
  await plain[Symbol.asyncDispose]();
  await variant[Symbol.asyncDispose]();
  assertEquals(runtime.ended.toSorted(), runtime.made.toSorted());
});
