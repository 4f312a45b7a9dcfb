import * as v from "valibot";
import type { RawImage } from "../../image/raw_image.ts";
import { thumbnail } from "../../image/transform/thumbnail.ts";
import { writePng } from "../../image/write_png.ts";
import { attentionBytes } from "../../model/attention/attention_bytes.ts";
import { attentionJson } from "../../model/attention/attention_json.ts";
import { type AttentionMap, attentionMap } from "../../model/attention/attention_map.ts";
import type { ImageAttentions } from "../../model/attention/image_attentions.ts";
import { overlayAttention } from "../../model/attention/overlay_attention.ts";
import { tensorAttentions } from "../../model/attention/tensor_attentions.ts";
import type { ViTMSNModel } from "../../model/vit_msn_model.ts";
import { type Box, seenBox } from "../../preprocess/seen_box.ts";
import { discard } from "../../tensor/memory_pressure.ts";
import { rowsOf } from "../../tensor/rows_of.ts";
import { patchGrid } from "../../vit_msn/config.ts";
import { choosePatches, type KeepOptions } from "../../vit_msn/patch_dropping.ts";
import { Problem } from "../problem.ts";
import { readImageInputs } from "../request/image_inputs.ts";
import { prefersJson } from "../request/prefers_json.ts";
import type { Route } from "../route.ts";
import { EXAMPLE_IMAGE, imageText } from "../schemas.ts";

const SHARE = "a number above 0 and up to 1";
const share = v.pipe(v.number(), v.gtValue(0, SHARE), v.maxValue(1, SHARE));
const integer = v.pipe(v.number(), v.integer("an integer"));

const parameters = v.strictObject({
  head: v.optional(
    v.pipe(integer, v.description("The head, from 0; default is the mean of all")),
  ),
  layer: v.optional(
    v.pipe(integer, v.description("The block, from 0, or from -1, the last and the default")),
  ),
  rollout: v.optional(
    v.pipe(
      v.boolean(),
      v.description("Whether to show the attention rollout through the blocks up to `layer`"),
    ),
  ),
  threshold: v.optional(
    v.pipe(share, v.description("Show only the patches that keep this share of the attention")),
  ),
  keep_patches: v.optional(
    v.pipe(share, v.description("Use only this share of the patches; the others are grey")),
  ),
  seed: v.optional(
    v.pipe(
      v.number(),
      v.safeInteger("an integer"),
      v.description("The seed of the choice of `keep_patches`; default 0"),
    ),
  ),
});

type Parameters = v.InferOutput<typeof parameters>;

/** `POST /attention`: what CLS attends to on an image, as a picture or as numbers. */
export const attention: Route = {
  method: "post",
  path: "/attention",
  group: "attention",
  summary: "Shows where the model looks on an image: a PNG, or JSON if `Accept` asks for it",
  errors: "problem",
  parameters,
  request: {
    schema: v.strictObject({ inputs: imageText, parameters: v.optional(parameters) }),
    example: () => ({ inputs: EXAMPLE_IMAGE, parameters: { head: 0, threshold: 0.6 } }),
    takesImages: true,
  },
  picture: "image/png",
  response: v.object({
    rows: v.number(),
    columns: v.number(),
    layer: v.number(),
    head: v.union([v.number(), v.literal("mean")]),
    rollout: v.boolean(),
    weights: v.pipe(
      v.array(v.nullable(v.number())),
      v.description("Of each patch, row by row; null for one that was dropped"),
    ),
    mask: v.optional(
      v.pipe(v.array(v.number()), v.description("With a threshold: 1 for the patches it keeps")),
    ),
    box: v.pipe(
      v.object({
        left: v.number(),
        top: v.number(),
        width: v.number(),
        height: v.number(),
      }),
      v.description("The part of the image that the patches cover, in shares of its sides"),
    ),
    labels: v.optional(v.array(v.object({ label: v.string(), score: v.number() }))),
  }),
  async answer(exchange, service) {
    using body = await service.body(exchange);
    const { images, parameters: given } = await readImageInputs(
      exchange.request,
      body.bytes,
      parameters,
      1,
      (url) => service.fetchImage(exchange, url),
    );
    const isJson = prefersJson(exchange.request.headers.get("accept"));
    const served = await service.model(exchange);
    const { model } = served;
    const keep = keepOf(given);
    assertChoice(given, model);
    assertMemory(model, keep, service.limits.maxAttentionBytes);
    let photo: RawImage | undefined;
    let box: Box | undefined;
    const [attentions] = await service.infer<ImageAttentions>(exchange, images, served, {
      key: JSON.stringify(["attention", keep]),
      // One after the other: the memory is bounded for one.
      async run(pixelValues) {
        const results: ImageAttentions[] = [];
        for (const data of rowsOf(pixelValues)) {
          const shape = [1, ...pixelValues.shape.slice(1)];
          results.push(await tensorAttentions(model, { dtype: "float32", shape, data }, keep));
        }
        return results;
      },
    }, (image) => {
      box = boxOf(model, image);
      if (!isJson) photo = thumbnail(image, service.limits.maxPictureSide);
    }) as [ImageAttentions];
    const map: AttentionMap = {
      ...attentionMap(attentions, {
        ...(given.layer === undefined ? {} : { layer: given.layer }),
        ...(given.head === undefined ? {} : { head: given.head }),
        ...(given.rollout === undefined ? {} : { rollout: given.rollout }),
        ...(given.threshold === undefined ? {} : { threshold: given.threshold }),
      }),
      box: box!,
    };
    const { labels } = attentions;
    if (isJson) return Response.json({ ...attentionJson(map), ...(labels ? { labels } : {}) });
    const picture = overlayAttention(photo!, map);
    discard(photo!.data);
    const png = await exchange.deadline.wait(writePng(picture));
    discard(picture.data);
    return new Response(png, { headers: { "content-type": "image/png" } });
  },
};

/** @throws {Problem} 400 if there is a seed but nothing to choose. */
function keepOf({ keep_patches, seed }: Parameters): KeepOptions {
  if (keep_patches === undefined && seed !== undefined) {
    throw new Problem(400, "seed requires keep_patches");
  }
  return {
    ...(keep_patches === undefined ? {} : { keepPatches: keep_patches }),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** @throws {Problem} 400 if the model has no such block or head, or one is to be rolled out. */
function assertChoice(
  { layer = -1, head, rollout }: Parameters,
  { config: { numHiddenLayers: L, numAttentionHeads: heads } }: ViTMSNModel,
): void {
  if (layer < -L || layer >= L) {
    throw new Problem(400, `layer is ${layer}, not an integer from ${-L} to ${L - 1}`);
  }
  if (head !== undefined && (head < 0 || head >= heads)) {
    throw new Problem(400, `head is ${head}, not an integer from 0 to ${heads - 1}`);
  }
  if (rollout && head !== undefined) {
    throw new Problem(400, "head does not go with rollout, which takes the mean of the heads");
  }
}

/** @throws {Problem} 422 if the attentions would take too much memory. */
function assertMemory({ config }: ViTMSNModel, keep: KeepOptions, maxBytes: number): void {
  const [rows, columns] = patchGrid(config);
  const bytes = attentionBytes(config, choosePatches(rows * columns, keep).length);
  if (bytes <= maxBytes) return;
  const megabytes = (count: number) => `${Math.ceil(count / 1e6)} MB`;
  throw new Problem(
    422,
    `The attentions of this model would take ${megabytes(bytes)} of memory, more than ` +
      `${megabytes(maxBytes)}; send a smaller keep_patches`,
  );
}

function boxOf({ processor, config }: ViTMSNModel, image: RawImage): Box {
  const [rows, columns] = patchGrid(config);
  const [patchHeight, patchWidth] = config.patchSize;
  return seenBox(processor.config, image, {
    width: columns * patchWidth,
    height: rows * patchHeight,
  });
}
