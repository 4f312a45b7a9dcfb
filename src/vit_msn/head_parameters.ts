import * as v from "valibot";
import { checkedJson, count } from "../preprocess/checked_json.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How a head can be fitted. */
export const METHODS = ["logistic", "prototypes", "knn", "ridge"] as const;

/** A way to fit a head. */
export type Method = typeof METHODS[number];

/** Far more images than anybody labels. */
const MAX_COUNT = 1_000_000_000;

/** A fitted head as a file has it; `fitHead` makes one, and `Head` computes with it. */
export interface HeadParameters {
  /** What is said of it. */
  readonly settings: HeadSettings;
  /** What it computes with. */
  readonly tensors: HeadTensors;
}

/** What is said of a head in JSON. */
export interface HeadSettings {
  /** How it was fitted. */
  readonly method: Method;
  /** The strength of the L2 penalty, `l2` of `fitHead`; only `logistic` and `ridge` have it. */
  readonly lambd?: number;
  /** The number of neighbours, of `knn`. */
  readonly k?: number;
  /** The classes' names, in the order of the logits. */
  readonly labels: readonly string[];
  /** How many images of each class it was fitted on. */
  readonly counts: readonly number[];
  /** What tells the images of each class apart, of a head to which more can be added. */
  readonly photos?: readonly (readonly string[])[];
  /** Logits are divided by it. */
  readonly temperature: number;
  /**
   * Whether the temperature was fitted. With too few images it is 1; where a fitted one would make all
   * scores alike, it is one that keeps them apart.
   */
  readonly calibrated: boolean;
  /** When an image counts as none of the classes. */
  readonly unknown?: Unknown;
}

/** A rule by which an image counts as none of the classes. */
export interface Unknown {
  /** The best label's probability, or the mean cosine to the references that are most like it. */
  readonly criterion: "probability" | "similarity";
  /** An image below is unknown. */
  readonly threshold: number;
  /** The share of images of the classes that are expected to be below. */
  readonly falseRejectionRate: number;
}

/** A head's tensors, float32; K classes, n images, D channels. */
export interface HeadTensors {
  /** [K, D], of a linear head. */
  readonly weight?: Tensor<"float32">;
  /** [K], of a linear head. */
  readonly bias?: Tensor<"float32">;
  /** [n, D], the images' features: of `knn`, and where they are kept. */
  readonly support?: Tensor<"float32">;
  /** [n, K], what each image counts for each class; beside `support`. */
  readonly votes?: Tensor<"float32">;
  /** [K, D], the mean feature of each class. */
  readonly means: Tensor<"float32">;
}

/** The names under which a file has a head's tensors. */
export const HEAD_TENSORS = ["weight", "bias", "support", "votes", "means"] as const;

const positive = v.pipe(
  v.number("a positive number"),
  v.gtValue(0, "a positive number"),
  v.finite("a positive number"),
);
const text = v.string("a text");
const several = "a list of two or more";

const settingsSchema = v.pipe(
  v.looseObject({
    method: v.picklist(METHODS, `one of ${METHODS}`),
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
 * Checks what a file says of a head.
 *
 * @param json the parsed settings.
 * @param tensors by their names; those of other names are left out.
 * @param hiddenSize D
 * @throws {TypeError} if a setting or tensor is missing or does not fit the others.
 */
export function parseHead(
  json: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  hiddenSize: number,
): HeadParameters {
  // Checked, but kept as it is: a file is written again with all that it says.
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
