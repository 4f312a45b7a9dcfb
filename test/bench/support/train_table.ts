import { type Columns, markdownTable } from "./markdown_table.ts";

/** What was measured of one way to train one model. */
export interface TrainRow {
  readonly model: string;
  readonly tune: string;
  /** The build of the kernels, or PyTorch with its version. */
  readonly engine: string;
  readonly threads: number;
  readonly batch: number;
  /** Of a step. */
  readonly milliseconds: number;
  /** 10⁹ nominal operations a second. */
  readonly gigaflops: number;
  /** Of the rate of the innermost f32 kernel of the same build alone. */
  readonly kernelShare: number | undefined;
  /** PyTorch's time by this one; nothing without PyTorch. */
  readonly speedup: number | undefined;
  /** Of the engine's memory, or of PyTorch's process; nothing where that is unknown. */
  readonly megabytes: number | undefined;
}

const COLUMNS: Columns<TrainRow> = {
  "model": ({ model }) => model,
  "tune": ({ tune }) => tune,
  "engine": ({ engine }) => engine,
  "threads": ({ threads }) => `${threads}`,
  "batch": ({ batch }) => `${batch}`,
  "ms a step": ({ milliseconds }) => milliseconds.toFixed(milliseconds < 100 ? 1 : 0),
  "images/s": (row) => imagesPerSecond(row).toFixed(1),
  "GFLOP/s": ({ gigaflops }) => gigaflops.toFixed(1),
  "% of kernel": ({ kernelShare }) => kernelShare ? (100 * kernelShare).toFixed(0) : "",
  "of PyTorch's speed": ({ speedup }) => speedup?.toFixed(2) ?? "",
  "memory MB": ({ megabytes }) => megabytes?.toFixed(0) ?? "",
};

/** Columns of words; the others are numbers. */
const WORDS = 3;

/** A Markdown table. */
export function toTable(rows: readonly TrainRow[]): string {
  return markdownTable(COLUMNS, WORDS, rows);
}

/** The same for programs. */
export function toJson(row: TrainRow) {
  return {
    model: row.model,
    tune: row.tune,
    engine: row.engine,
    threads: row.threads,
    batch: row.batch,
    median_ms: row.milliseconds,
    images_per_s: imagesPerSecond(row),
    nominal_gflops: row.gigaflops,
    kernel_share: row.kernelShare ?? null,
    speed_by_pytorch: row.speedup ?? null,
    memory_mb: row.megabytes ?? null,
  };
}

function imagesPerSecond({ batch, milliseconds }: TrainRow): number {
  return 1000 * batch / milliseconds;
}
