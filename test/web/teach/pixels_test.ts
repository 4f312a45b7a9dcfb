import { assertEquals } from "@std/assert";
import { decodeImage, loadModel } from "../../../src/mod.ts";
import { toPixels } from "../../../src/web/teach/pixels.ts";

Deno.test("an embedding of the kept pixels is that of the photo to the last bit", async () => {
  await using model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
  const photo = await decodeImage(await Deno.readFile("test/images/ship.jpg"));
  const values = model.processor.preprocess([photo]);
  const pixels = toPixels(values, model.processor.config);
  assertEquals([pixels.width, pixels.height, pixels.data.length], [32, 32, 3 * 32 * 32]);
  assertEquals(model.processor.preprocess([pixels]), values);
  assertEquals(await model.embed([pixels]), await model.embed([photo]));
});
