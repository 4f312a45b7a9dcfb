import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeImage } from "../../src/image/decode_image.ts";
import { resize } from "../../src/image/transform/resize.ts";
import { writePng } from "../../src/image/write_png.ts";
import { attentionJson } from "../../src/model/attention/attention_json.ts";
import { type AttentionChoice, attentionMap } from "../../src/model/attention/attention_map.ts";
import { computeAttentions } from "../../src/model/attention/compute_attentions.ts";
import { overlayAttention } from "../../src/model/attention/overlay_attention.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { KeepOptions } from "../../src/vit_msn/patch_dropping.ts";
import { post, service, SHIP } from "./service.ts";

const handler = service();
const model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
const JSON_WANTED = { accept: "application/json" };

/** The answer as the library computes it. */
async function expected(choice: AttentionChoice = {}, keep: KeepOptions = {}): Promise<unknown> {
  const { labels, ...attentions } = await computeAttentions(model, SHIP, keep);
  return { ...attentionJson(attentionMap(attentions, choice)), labels };
}

Deno.test("POST /attention answers JSON as the library computes it", async () => {
  const form = new FormData();
  form.append("image", new Blob([SHIP]));
  form.append("head", "1");
  form.append("layer", "-2");
  for (
    const [request, answer] of [
      [post("/attention", SHIP, JSON_WANTED), await expected()],
      [
        post("/attention?rollout=true&layer=3", SHIP, JSON_WANTED),
        await expected({
          rollout: true,
          layer: 3,
        }),
      ],
      [post("/attention", form, JSON_WANTED), await expected({ head: 1, layer: -2 })],
      [
        post("/attention", {
          inputs: SHIP.toBase64(),
          parameters: { threshold: 0.6, keep_patches: 0.5, seed: 9 },
        }, JSON_WANTED),
        await expected({ threshold: 0.6 }, { keepPatches: 0.5, seed: 9 }),
      ],
    ] as const
  ) {
    const response = await handler(request);
    assertEquals(response.status, 200);
    assertMatch(response.headers.get("server-timing")!, /decode;dur=.*inference;dur=/);
    assertEquals(await response.json(), answer);
  }
});

Deno.test("POST /attention answers a PNG of the overlay", async () => {
  const photo = await decodeImage(SHIP);
  const map = attentionMap(await computeAttentions(model, photo), { head: 2, threshold: 0.5 });
  for (
    const accept of [undefined, "*/*", "image/png", "image/*", "application/json;q=0.5, image/png"]
  ) {
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const response = await handler(post("/attention?head=2&threshold=0.5", SHIP, headers));
    assertEquals([response.status, response.headers.get("content-type")], [200, "image/png"]);
    const image = await decodeImage(new Uint8Array(await response.arrayBuffer()));
    assertEquals(image, overlayAttention(photo, map), accept);
  }
});

Deno.test("POST /attention scales a large photo down", async () => {
  const large = resize(await decodeImage(SHIP), 1500, 300, "bilinear");
  const response = await handler(post("/attention", await writePng(large)));
  const { width, height } = await decodeImage(new Uint8Array(await response.arrayBuffer()));
  assertEquals([width, height], [1024, 205]);
});

Deno.test("POST /attention refuses what it cannot show", async () => {
  const refuses = async (request: Request, status: number, detail: string) => {
    const response = await handler(request);
    assertEquals(response.status, status, detail);
    assertEquals(response.headers.get("content-type"), "application/problem+json");
    assertStringIncludes((await response.json()).detail, detail);
  };
  for (
    const [query, detail] of [
      ["head=3", "head is 3, not an integer from 0 to 2"],
      ["head=-1", "head is -1"],
      ["head=0.5", "head is 0.5, not an integer"],
      ["head=mean", 'head is "mean", not number'],
      ["layer=6", "layer is 6, not an integer from -6 to 5"],
      ["layer=-7", "layer is -7"],
      ["rollout=true&head=0", "head does not go with rollout"],
      ["threshold=0", "threshold is 0, not a number above 0 and up to 1"],
      ["threshold=1.1", "threshold is 1.1"],
      ["keep_patches=0", "keep_patches is 0"],
      ["seed=1", "seed requires keep_patches"],
      ["top_k=1", "top_k is no parameter here"],
    ] as const
  ) await refuses(post(`/attention?${query}`, SHIP), 400, detail);
  await refuses(post("/attention", new Uint8Array()), 400, "There is no image in the request");
  await refuses(post("/attention", "no image"), 415, "no image format known here");
  const form = new FormData();
  for (let i = 0; i < 2; i++) form.append("image", new Blob([SHIP]));
  await refuses(post("/attention", form), 413, "There are 2 images in the request, more than 1");
});

Deno.test("POST /attention bounds its memory", async () => {
  const bytes = 4 * 6 * 3 * 65 ** 2; // of the embedded model
  const ask = async (maxAttentionBytes: number, query = "") =>
    await service({ limits: { maxAttentionBytes } })(post(`/attention${query}`, SHIP));
  assertEquals((await ask(bytes)).status, 200);
  const refused = await ask(bytes - 1);
  assertEquals(refused.status, 422);
  assertStringIncludes((await refused.json()).detail, "send a smaller keep_patches");
  assertEquals((await ask(bytes - 1, "?keep_patches=0.5")).status, 200);
});

Deno.test("concurrent requests for attention and labels get their own answers", async () => {
  const answers = await Promise.all(
    ["/attention?head=0", "/classify?top_k=1", "/attention?keep_patches=0.5", "/attention"].map(
      async (path) => await (await handler(post(path, SHIP, JSON_WANTED))).json(),
    ),
  );
  assertEquals(answers[0], await expected({ head: 0 }));
  assertEquals(answers[1][0].label, "ship");
  assertEquals(answers[2], await expected({}, { keepPatches: 0.5 }));
  assertEquals(answers[3], await expected());
});
