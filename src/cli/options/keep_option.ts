import type { KeepOptions } from "../../vit_msn/patch_dropping.ts";
import { numberOption, type Options, type OptionValues, UsageError } from "../command.ts";

/** The options of commands that may drop patches. */
export const KEEP_OPTIONS = {
  "keep-patches": {
    value: "R",
    help: "Look at this share of each image's patches only, above 0 and up to 1: faster, less sure",
  },
  seed: { value: "S", help: "Of the choice of patches, an integer from 0 on; default 0" },
} as const satisfies Options;

/** What `--keep-patches` and `--seed` ask for. */
export function keepOptions(values: OptionValues<typeof KEEP_OPTIONS>): KeepOptions {
  const given = values["keep-patches"];
  const keepPatches = numberOption("keep-patches", given, { otherwise: 1, min: 0, max: 1 });
  if (keepPatches === 0) throw new UsageError("--keep-patches is 0, which leaves nothing to see");
  const seed = numberOption("seed", values.seed, { otherwise: 0, min: 0, integer: true });
  if (values.seed !== undefined && given === undefined) {
    throw new UsageError("--seed is of --keep-patches, which is not given");
  }
  return { keepPatches, seed };
}
