import { writeFile } from "../../hub/write_file.ts";
import type { RawImage } from "../../image/raw_image.ts";
import { writePng } from "../../image/write_png.ts";
import { ViTImageProcessor } from "../../preprocess/vit_image_processor.ts";
import { anchorPatches } from "../../train/msn/msn_batches.ts";
import type { MsnSettings } from "../../train/msn/msn_settings.ts";
import { MsnViews } from "../../train/msn/msn_views.ts";
import type { PretrainModel } from "../../train/msn/pretrain.ts";
import type { PretrainDataset } from "../../train/msn/pretrain_events.ts";
import { contactSheet } from "./contact_sheet.ts";
import { greyOutPatches } from "./grey_out_patches.ts";

/** The most photos on a sheet, and the side of a cell and the gap between cells in pixels. */
const SHOWN = 8;
const CELL = 160;
const GAP = 8;

/**
 * Writes the views of the first epoch of some photos as a PNG: a row each, the photo first.
 *
 * @returns the number of photos.
 */
export async function writeViews(
  path: string,
  dataset: PretrainDataset,
  { data, criterion }: MsnSettings,
  model: PretrainModel,
  seed: number,
): Promise<number> {
  const views = new MsnViews({ ...data, seed }, new ViTImageProcessor(model.preprocessorConfig));
  const [patch] = model.config.patchSize;
  const patches = anchorPatches(data, model.config);
  const kept = views.keptPatches(patches.count, patches.kept, 1);
  const count = Math.min(SHOWN, criterion.batch_size, dataset.labels.length);
  const rows: RawImage[][] = [];
  for (let index = 0; index < count; index++) {
    const image = await dataset.image(index);
    const { target, random, focal } = views.imagesOf(image, index, 1);
    rows.push([
      image,
      target,
      ...random.map((view) => greyOutPatches(view, patch, kept)),
      ...focal,
    ]);
  }
  await writeFile(path, [await writePng(contactSheet(rows, { cell: CELL, gap: GAP }))]);
  return count;
}
