import type { Processor } from "./host/processor.ts";
import type { WeightDataType } from "../../../src/vit_msn/quantize.ts";
import { type Columns, markdownTable } from "./markdown_table.ts";

/** What was measured of one engine with one model and one size of batch. */
export interface RuntimeRow extends Processor {
  readonly model: string;
  readonly backend: string;
  readonly dtype: WeightDataType;
  readonly threads: number;
  readonly batch: number;
  /** Of a batch. */
  readonly milliseconds: number;
  /** 10⁹ operations a second. */
  readonly gigaflops: number;
  /** Of the rate of this project's innermost kernel alone, if it runs on that. */
  readonly kernelShare: number | undefined;
  /** From the file's bytes to a model that is ready. */
  readonly createMilliseconds: number;
  /** Nothing where it cannot be measured. */
  readonly peakMegabytes: number | undefined;
}

const COLUMNS: Columns<RuntimeRow> = {
  "model": ({ model }) => model,
  "backend": ({ backend }) => backend,
  "dtype": ({ dtype }) => dtype,
  "threads": ({ threads }) => `${threads}`,
  "batch": ({ batch }) => `${batch}`,
  "median ms": ({ milliseconds }) => milliseconds.toFixed(1),
  "images/s": (row) => imagesPerSecond(row).toFixed(1),
  "GFLOP/s": ({ gigaflops }) => gigaflops.toFixed(1),
  "% of kernel": ({ kernelShare }) => kernelShare ? (100 * kernelShare).toFixed(0) : "",
  "create ms": ({ createMilliseconds }) => createMilliseconds.toFixed(0),
  "peak RSS MB": ({ peakMegabytes }) => peakMegabytes?.toFixed(0) ?? "",
};

/** Columns of words; the others are numbers. */
const WORDS = 3;

/** A Markdown table. */
export function toTable(rows: readonly RuntimeRow[]): string {
  return markdownTable(COLUMNS, WORDS, rows);
}

/** The same for programs. */
export function toJson(row: RuntimeRow) {
  const { model, backend, dtype, threads, batch, processor, vnni, kernel } = row;
  return {
    model,
    backend,
    dtype,
    threads,
    batch,
    median_ms: row.milliseconds,
    images_per_s: imagesPerSecond(row),
    gflops: row.gigaflops,
    create_ms: row.createMilliseconds,
    peak_rss_mb: row.peakMegabytes ?? null,
    processor,
    vnni,
    kernel,
  };
}

function imagesPerSecond({ batch, milliseconds }: RuntimeRow): number {
  return 1000 * batch / milliseconds;
}
