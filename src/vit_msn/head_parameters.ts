import type { Tensor } from "../tensor/tensor.ts";

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
  readonly method: "logistic" | "prototypes" | "knn" | "ridge";
  /** The strength of the penalty, of `logistic` and `ridge`. */
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

const METHODS: readonly unknown[] = ["logistic", "prototypes", "knn", "ridge"];

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
  const settings = parseSettings(json);
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

function parseSettings(json: unknown): HeadSettings {
  const settings = (json ?? {}) as Record<string, unknown>;
  const { method, lambd, k, labels, counts, temperature, calibrated, unknown, photos } = settings;
  const isPositive = (x: unknown) => typeof x === "number" && x > 0 && x < Infinity;
  const isCount = (x: unknown) => Number.isSafeInteger(x) && (x as number) > 0;
  const isList = (list: unknown, test: (x: unknown) => boolean): list is unknown[] =>
    Array.isArray(list) && list.length >= 2 && list.every(test);
  if (!METHODS.includes(method)) throw unusable(`its method is ${JSON.stringify(method)}`);
  if (!isList(labels, (label) => typeof label === "string")) throw unusable("it has no labels");
  if (!isList(counts, isCount) || counts.length !== labels.length) throw unusable("counts");
  if (!isPositive(temperature)) throw unusable(`its temperature is ${temperature}`);
  if (typeof calibrated !== "boolean") throw unusable(`calibrated is ${calibrated}`);
  if (method === "knn" && !isCount(k)) throw unusable(`k is ${k}`);
  if (lambd !== undefined && !isPositive(lambd)) throw unusable(`lambd is ${lambd}`);
  const isNames = (list: unknown) =>
    Array.isArray(list) && list.every((name) => typeof name === "string");
  if (photos !== undefined && !(isList(photos, isNames) && photos.length === labels.length)) {
    throw unusable("its photos are none");
  }
  if (unknown !== undefined) {
    const { criterion, threshold, falseRejectionRate } = unknown as Record<string, unknown>;
    const isRule = (criterion === "probability" || criterion === "similarity") &&
      Number.isFinite(threshold) && (falseRejectionRate === 0 || isPositive(falseRejectionRate));
    if (!isRule) throw unusable("its rule for unknown images is none");
  }
  return json as HeadSettings;
}

function unusable(what: string): TypeError {
  return new TypeError(`Cannot use the model's head: ${what}`);
}
