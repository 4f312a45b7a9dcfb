import type { Engine } from "./engines.ts";

/** What was measured of one engine with one model. */
export interface RuntimeRow {
  readonly model: string;
  readonly engine: Engine;
  readonly milliseconds: number;
  /** 10⁹ operations a second. */
  readonly gigaflops: number;
  /** Of the kernels' own rate. */
  readonly share: number;
  /** The time by those of onnxruntime-web f32 and int8. */
  readonly ratios: readonly number[];
  /** From the file's bytes to a model that is ready. */
  readonly createMilliseconds: number;
  readonly peakMebibytes: number | undefined;
}

const COLUMNS: Readonly<Record<string, (row: RuntimeRow) => string>> = {
  "model": ({ model }) => model,
  "backend": ({ engine }) => engine.backend,
  "dtype": ({ engine }) => engine.dtype,
  "threads": ({ engine }) => `${engine.threads}`,
  "median ms": ({ milliseconds }) => milliseconds.toFixed(1),
  "images/s": ({ milliseconds }) => (1000 / milliseconds).toFixed(1),
  "GFLOP/s": ({ gigaflops }) => gigaflops.toFixed(1),
  "% of peak": ({ share }) => (100 * share).toFixed(0),
  "ratio to onnxruntime-web f32": ({ ratios }) => ratios[0]!.toFixed(2),
  "ratio to onnxruntime-web int8": ({ ratios }) => ratios[1]!.toFixed(2),
  "create ms": ({ createMilliseconds }) => createMilliseconds.toFixed(0),
};

const MEMORY_COLUMN = {
  "peak RSS MiB": ({ peakMebibytes }: RuntimeRow) => peakMebibytes!.toFixed(0),
};

/** Columns of words; the others are numbers. */
const WORDS = 3;

/** A Markdown table; with the memory, if it was measured. */
export function toTable(rows: readonly RuntimeRow[]): string {
  const measured = rows.every(({ peakMebibytes }) => peakMebibytes !== undefined);
  const columns = { ...COLUMNS, ...(measured ? MEMORY_COLUMN : {}) };
  const names = Object.keys(columns);
  return [
    names,
    names.map((_, i) => i < WORDS ? "---" : "---:"),
    ...rows.map((row) => Object.values(columns).map((cell) => cell(row))),
  ].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The same for programs; `peak_rss_mb` is null where it was not measured. */
export function toJson(
  { model, engine, milliseconds, createMilliseconds, peakMebibytes }: RuntimeRow,
) {
  const { backend, dtype, threads } = engine;
  return {
    model,
    backend,
    dtype,
    threads,
    batch: 1,
    median_ms: milliseconds,
    images_per_s: 1000 / milliseconds,
    create_ms: createMilliseconds,
    peak_rss_mb: peakMebibytes ?? null,
  };
}
