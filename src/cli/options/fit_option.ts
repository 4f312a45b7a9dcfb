import type { FitOptions } from "../../heads/fit/fit_head.ts";
import { METHODS } from "../../heads/fit/method.ts";
import {
  choiceOption,
  numberOption,
  type Options,
  type OptionValues,
  UsageError,
} from "../command.ts";

/** The options of every command that fits heads. */
export const FIT_OPTIONS = {
  lambd: {
    value: "L",
    help:
      "The strength of the penalty of logistic and ridge; default is chosen by cross-validation",
  },
  "class-weight": {
    value: "W",
    help: "balanced: all classes count the same (default), none: all images do",
  },
  augment: { help: "Fit on the mean of seven views of each photo: mirrored and cropped" },
  seed: { value: "S", help: "Of what is drawn at random, an integer from 0 on; default 0" },
} as const satisfies Options;

/** What `--method` may ask for. */
export const METHOD_CHOICES = ["auto", ...METHODS] as const;

/** What the options ask for, by a method. */
export function fitOptions(
  values: OptionValues<typeof FIT_OPTIONS>,
  method: typeof METHOD_CHOICES[number],
): FitOptions {
  const lambd = numberOption("lambd", values.lambd, { otherwise: 1, min: 0 });
  if (lambd === 0) throw new UsageError("--lambd is 0, not above");
  if (values.lambd !== undefined && method !== "logistic" && method !== "ridge") {
    throw new UsageError(`--lambd is of the methods logistic and ridge, not of ${method}`);
  }
  return {
    method,
    ...(values.lambd === undefined ? {} : { l2: lambd }),
    classWeight: choiceOption("class-weight", values["class-weight"], ["balanced", "none"]),
    seed: numberOption("seed", values.seed, { otherwise: 0, min: 0, integer: true }),
  };
}
