// The function classify on transformers.js, for cold_start.ts: the folder of its model is the argument.

import { MODEL_NAME, ONE_THREAD, transformersOf } from "./transformers.ts";

// It loads while the first request may already come, as the function does.
const loading = load(Deno.args[0]!);

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT")),
  // The bench says why there is no answer.
  onError: (error) => new Response(String(error), { status: 500 }),
}, async (request) => {
  const classify = await loading;
  return Response.json(await classify(await request.blob()));
});

async function load(folder: string) {
  const { pipeline, RawImage } = await transformersOf(folder);
  const classify = await pipeline("image-classification", MODEL_NAME, ONE_THREAD);
  return async (image: Blob) => await classify(await RawImage.fromBlob(image));
}
