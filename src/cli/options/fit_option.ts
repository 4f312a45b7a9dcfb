import type { FitOptions } from "../../heads/fit/fit_options.ts";
import { HEAD_METHODS } from "../../heads/fit/method.ts";
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
    help: "The L2 penalty of logistic and ridge; default is chosen by cross-validation",
  },
  "class-weight": {
    value: "W",
    help: "balanced: weight all classes equally (default); none: weight all images equally",
  },
  augment: { help: "Fit on the mean of seven views of each photo: mirrored and cropped" },
  seed: { value: "S", help: "The random seed, an integer of at least 0; default 0" },
} as const satisfies Options;

/** The values of `--method`. */
export const METHOD_CHOICES = ["auto", ...HEAD_METHODS] as const;

/** Parses the fit options for a method. */
export function fitOptions(
  values: OptionValues<typeof FIT_OPTIONS>,
  method: typeof METHOD_CHOICES[number],
): FitOptions {
  const lambd = numberOption("lambd", values.lambd, { otherwise: 1, min: 0 });
  if (lambd === 0) throw new UsageError("--lambd is 0, not a number above 0");
  if (values.lambd !== undefined && method !== "logistic" && method !== "ridge") {
    throw new UsageError(
      `--lambd requires --method logistic or ridge, but the method is ${method}`,
    );
  }
  return {
    method,
    ...(values.lambd === undefined ? {} : { l2: lambd }),
    classWeight: choiceOption("class-weight", values["class-weight"], ["balanced", "none"]),
    seed: numberOption("seed", values.seed, { otherwise: 0, min: 0, integer: true }),
  };
}
