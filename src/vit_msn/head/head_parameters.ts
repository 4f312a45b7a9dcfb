import * as v from "valibot";
import { checkedJson, count, positive } from "../../preprocess/checked_json.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** The methods of fitting a head. */
export const HEAD_METHODS = ["logistic", "prototypes", "knn", "ridge"] as const;

/** A method of fitting a head. */
export type HeadMethod = typeof HEAD_METHODS[number];

/** Far more images than anybody labels. */
const MAX_COUNT = 1_000_000_000;

/** A fitted head as a file stores it. `fitHead` makes one, and `Head` computes with it. */
export interface HeadParameters {
  /** The settings, which a file stores as JSON. */
  readonly settings: HeadSettings;
  /** The tensors. */
  readonly tensors: HeadTensors;
}

/** The settings of a head, under their names in a file's JSON. */
export interface HeadSettings {
  /** The method by which it was fitted. */
  readonly method: HeadMethod;
  /** The strength of the L2 penalty, `l2` of `fitHead`; only `logistic` and `ridge` have it. */
  readonly lambd?: number;
  /** The number of neighbours; only `knn` has it. */
  readonly k?: number;
  /** The classes' names, in the order of the logits. */
  readonly labels: readonly string[];
  /** [K], the number of images of each class that it was fitted on. */
  readonly counts: readonly number[];
  /** [K], the ids of each class's images, if images can be added to the head. */
  readonly photos?: readonly (readonly string[])[];
  /** T, which logits are divided by. */
  readonly temperature: number;
  /**
   * Whether the temperature is the fitted one. It is not with too few images, where it is 1, and where the
   * fitted one would make all scores nearly equal, where it is lowered.
   */
  readonly calibrated: boolean;
  /** The rule for unknown images, if there were enough images to fit one. */
  readonly unknown?: UnknownRule;
}

/** The rule by which an image belongs to none of the classes. */
export interface UnknownRule {
  /** The score: the best label's probability, or the mean cosine to the nearest references. */
  readonly criterion: "probability" | "similarity";
  /** An image with a lower score is unknown. */
  readonly threshold: number;
  /** The expected share of images of the classes that are wrongly labelled unknown. */
  readonly falseRejectionRate: number;
}

/** A head's tensors, float32; K classes, n images, D channels. */
export interface HeadTensors {
  /** [K, D]; only a linear head has it. */
  readonly weight?: Tensor<"float32">;
  /** [K]; only a linear head has it. */
  readonly bias?: Tensor<"float32">;
  /** [n, D], the images' features, for `knn` and for heads that keep them. */
  readonly support?: Tensor<"float32">;
  /** [n, K], the vote of each image for each class; present with `support`. */
  readonly votes?: Tensor<"float32">;
  /** [K, D], the mean feature of each class. */
  readonly means: Tensor<"float32">;
}

/** The names of a head's tensors. */
export const HEAD_TENSORS = ["weight", "bias", "support", "votes", "means"] as const;

const text = v.string("a text");
const several = "a list of two or more";

const settingsSchema = v.pipe(
  v.looseObject({
    method: v.picklist(HEAD_METHODS, `one of ${HEAD_METHODS}`),
    lambd: v.optional(positive),
    k: v.optional(count(MAX_COUNT)),
    labels: v.pipe(v.array(text, several), v.minLength(2, several)),
    counts: v.array(count(MAX_COUNT), "a list of numbers"),
    photos: v.optional(v.array(v.array(text, "a list of texts"), "a list of lists")),
    temperature: positive,
    calibrated: v.boolean("true or false"),
    unknown: v.optional(v.object({
      criterion: v.picklist(["probability", "similarity"], "probability or similarity"),
      threshold: v.pipe(v.number("a number"), v.finite("a finite number")),
      falseRejectionRate: v.pipe(
        v.number("a share"),
        v.minValue(0, "a share"),
        v.maxValue(1, "a share"),
      ),
    }, "an object")),
  }),
  v.forward(
    v.check(({ counts, labels }) => counts.length === labels.length, "as long as labels"),
    ["counts"],
  ),
  v.forward(
    v.check(
      ({ photos, labels }) => !photos || photos.length === labels.length,
      "as long as labels",
    ),
    ["photos"],
  ),
  v.forward(
    v.check(({ method, k }) => method !== "knn" || k !== undefined, "a number of neighbours"),
    [
      "k",
    ],
  ),
);

/**
 * Validates the settings and tensors of a head from a file.
 *
 * @param json the parsed settings.
 * @param tensors the tensors by name; those with other names are ignored.
 * @param hiddenSize D of the backbone.
 * @throws {TypeError} if a setting or tensor is missing, invalid, or inconsistent with the others.
 */
export function parseHead(
  json: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  hiddenSize: number,
): HeadParameters {
  // Validated but not replaced by the schema's output: settings that are unknown here are written back.
  checkedJson(settingsSchema, json, "the model's head");
  const settings = json as HeadSettings;
  const { method, labels } = settings;
  const [K, D] = [labels.length, hiddenSize];
  const n = tensors.get("support")?.shape[0] ?? 0;
  const shapes = { weight: [K, D], bias: [K], support: [n, D], votes: [n, K], means: [K, D] };
  const found: Partial<Record<keyof HeadTensors, Tensor<"float32">>> = {};
  for (const name of HEAD_TENSORS) {
    const tensor = tensors.get(name);
    if (!tensor) continue;
    const isFloat = tensor.dtype === "float32" &&
      (tensor.data as Float32Array).every(Number.isFinite);
    if (!isFloat || tensor.shape.join() !== shapes[name].join()) {
      throw unusable(
        `${name} is ${tensor.dtype} [${tensor.shape}], not finite float32 [${shapes[name]}]`,
      );
    }
    found[name] = tensor as Tensor<"float32">;
  }
  const needed = method === "knn" ? ["support", "votes"] as const : ["weight", "bias"] as const;
  const missing = [...needed, "means" as const].find((name) => !found[name]);
  if (missing) throw unusable(`it has no ${missing}`);
  if (found.support && !found.votes) throw unusable("it has no votes");
  return { settings, tensors: found as HeadTensors };
}

function unusable(what: string): TypeError {
  return new TypeError(`Cannot use the model's head: ${what}`);
}
