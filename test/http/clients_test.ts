import { assert, assertEquals, assertRejects } from "@std/assert";
import { InferenceClient } from "@huggingface/inference";
import OpenAI from "openai";
import { service, SHIP } from "./service.ts";

/** A service on a port of its own. */
function listen(): { url: string } & AsyncDisposable {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, service({ apiKeys: ["key"] }));
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("@huggingface/inference classifies, with a Blob and with an ArrayBuffer", async () => {
  await using server = listen();
  const client = new InferenceClient("key", { endpointUrl: `${server.url}/classify` });
  for (const data of [new Blob([SHIP], { type: "image/jpeg" }), SHIP.buffer]) {
    const labels = await client.imageClassification({ data });
    assertEquals(labels[0]?.label, "ship");
  }
  await assertRejects(
    () => client.imageClassification({ data: new Blob(["no image"]) }),
    Error,
    "no image format known here",
  );
});

Deno.test("openai embeds, in its default base64 and in floats", async () => {
  await using server = listen();
  const client = new OpenAI({ apiKey: "key", baseURL: `${server.url}/v1`, maxRetries: 0 });
  const input = `data:image/jpeg;base64,${SHIP.toBase64()}`;
  const packed = await client.embeddings.create({ model: "vit-msn", input });
  const floats = await client.embeddings.create({
    model: "vit-msn",
    input: [input, input],
    encoding_format: "float",
  });
  const [a, b] = [packed.data[0]!.embedding, floats.data[1]!.embedding];
  assertEquals([a.length, floats.data.length], [192, 2]);
  assert(a.every((x, d) => Math.abs(x - b[d]!) < 1e-6));
  const { data } = await client.models.list();
  assertEquals(data.map(({ id }) => id), ["vit-msn"]);
  const wrong = client.embeddings.create({ model: "vit-msn", input: "words" });
  await assertRejects(() => wrong, OpenAI.BadRequestError, "neither base64 nor a data URL");
  const unauthorized = new OpenAI({ apiKey: "no", baseURL: `${server.url}/v1`, maxRetries: 0 });
  await assertRejects(() => unauthorized.models.list(), OpenAI.AuthenticationError);
});
