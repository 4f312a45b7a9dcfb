import type { TuneMode } from "../../train/tune.ts";
import { UsageError } from "../command.ts";

/** The factor of LoRA's alpha: twice the rank, as is usual. */
const ALPHA = 2;

/**
 * Parses `--tune`: auto, head, last:N, lora:R or all.
 *
 * @throws {UsageError} if it is another value.
 */
export function tuneOption(
  value = "auto",
): TuneMode | { readonly kind: "auto" } | { readonly kind: "head" } {
  if (value === "auto" || value === "head" || value === "all") return { kind: value };
  const [, kind, text] = /^(last|lora):(\d{1,4})$/.exec(value) ?? [];
  const count = Number(text);
  if (kind === "last" && count > 0) return { kind, blocks: count };
  if (kind === "lora" && count > 0) return { kind, rank: count, alpha: ALPHA * count };
  throw new UsageError(
    `--tune is ${value}, not auto, head, last:N, lora:R or all, with N and R of at least 1`,
  );
}
