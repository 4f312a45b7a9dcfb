import { type Columns, markdownTable } from "./markdown_table.ts";

/** What was measured of one way to make views. */
export interface PretrainRow {
  readonly model: string;
  readonly threads: number;
  readonly batch: number;
  readonly focalViews: number;
  /** The share of patches that random anchors lose. */
  readonly patchDrop: number;
  /** Of an image: the target's once, the anchors' three times. */
  readonly tokens: number;
  /** Of a step. */
  readonly milliseconds: number;
  /** Images/s by those that the tokens predict from the first row. */
  readonly ofPrediction: number;
  /** Of the engine's memory. */
  readonly megabytes: number;
}

const COLUMNS: Columns<PretrainRow> = {
  "model": ({ model }) => model,
  "threads": ({ threads }) => `${threads}`,
  "batch": ({ batch }) => `${batch}`,
  "focal views": ({ focalViews }) => `${focalViews}`,
  "patch_drop": ({ patchDrop }) => patchDrop.toFixed(2),
  "tokens an image": ({ tokens }) => `${tokens}`,
  "ms a step": ({ milliseconds }) => milliseconds.toFixed(milliseconds < 100 ? 1 : 0),
  "images/s": (row) => imagesPerSecond(row).toFixed(imagesPerSecond(row) < 10 ? 2 : 1),
  "of prediction": ({ ofPrediction }) => ofPrediction.toFixed(2),
  "memory MB": ({ megabytes }) => megabytes.toFixed(0),
};

/** Columns of words; the others are numbers. */
const WORDS = 1;

/** A Markdown table. */
export function toTable(rows: readonly PretrainRow[]): string {
  return markdownTable(COLUMNS, WORDS, rows);
}

/** The same for programs. */
export function toJson(row: PretrainRow) {
  return {
    model: row.model,
    threads: row.threads,
    batch: row.batch,
    focal_views: row.focalViews,
    patch_drop: row.patchDrop,
    tokens_per_image: row.tokens,
    median_ms: row.milliseconds,
    images_per_s: imagesPerSecond(row),
    of_prediction: row.ofPrediction,
    memory_mb: row.megabytes,
  };
}

function imagesPerSecond({ batch, milliseconds }: PretrainRow): number {
  return 1000 * batch / milliseconds;
}
