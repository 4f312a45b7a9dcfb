import type { Tensors } from "../checkpoint/safetensors.ts";
import type { DataType, Tensor } from "../tensor/tensor.ts";

/** What MSN pre-training goes on from, with the weights' names not yet interpreted. */
export interface MsnTraining {
  /** The parsed `config.json`. */
  readonly config: unknown;
  /** The parsed `preprocessor_config.json`; `undefined` if the folder has none. */
  readonly preprocessorConfig: unknown;
  /** The weights that gradients train; `toWeights` accepts their names. */
  readonly encoder: Tensors;
  /** The weights of their moving average. Without both in the file, the two maps hold the same tensors. */
  readonly targetEncoder: Tensors;
  /** The projection head of the encoder: `fc1.weight`, …; `undefined` if the file has none. */
  readonly encoderHead: Tensors | undefined;
  /** The projection head of the target encoder, of the same shapes. */
  readonly targetHead: Tensors | undefined;
  /** [K, P], P being the width of the head's output; `undefined` if the file has none. */
  readonly prototypes: Tensor | undefined;
  /** The number of epochs that were completed, if the file has it. */
  readonly epoch?: number;
}

/**
 * Asserts that the parts of a training state fit each other: encoder and target encoder, their heads, the
 * prototypes and the epoch. Whether the encoders fit the config is for `toWeights` to say.
 *
 * @param path the file, for the error message.
 * @throws {SyntaxError} if they do not; the message names the file and lists what is wrong.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { assertMsnTraining } from "./msn_training.ts";
 *
 * const prototypes = { dtype: "float32", shape: [3], data: new Float32Array(3) } as const;
 * const encoders = { encoder: new Map(), targetEncoder: new Map() };
 * const heads = { encoderHead: undefined, targetHead: undefined };
 * assertThrows(
 *   () => assertMsnTraining({ ...encoders, ...heads, prototypes }, "msn.pth.tar"),
 *   SyntaxError,
 *   "Cannot go on pre-training from msn.pth.tar: prototypes is [3], not [K, P]",
 * );
 * ```
 */
export function assertMsnTraining(
  { encoder, targetEncoder, encoderHead, targetHead, prototypes, epoch }: Omit<
    MsnTraining,
    "config" | "preprocessorConfig"
  >,
  path: string,
): void {
  const wrong = [
    ...differences(encoder, targetEncoder, ""),
    ...differences(encoderHead ?? NONE, targetHead ?? NONE, "fc."),
    ...encoderHead ? headFaults(encoderHead, widthOf(encoder)) : [],
    ...prototypes ? prototypeFaults(prototypes, encoderHead?.get("fc3.weight")?.shape[0]) : [],
    ...epoch === undefined || Number.isSafeInteger(epoch) && epoch >= 0
      ? []
      : [`epoch is ${epoch}, not a number of epochs`],
  ];
  if (wrong.length === 0) return;
  const rest = wrong.length - MAX_LISTED;
  throw new SyntaxError(
    `Cannot go on pre-training from ${path}: ${wrong.slice(0, MAX_LISTED).join("; ")}` +
      (rest > 0 ? `; and ${rest} more` : ""),
  );
}

const NONE: Tensors = new Map();
const MAX_LISTED = 10;
const FLOATS: readonly DataType[] = ["float32", "float16", "bfloat16", "float64"];

function differences(encoder: Tensors, target: Tensors, prefix: string): string[] {
  const names = new Set([...encoder.keys(), ...target.keys()]);
  return [...names].flatMap((name) => {
    const [a, b] = [encoder, target].map((tensors) => describe(tensors.get(name)));
    return a === b ? [] : [`${prefix}${name} is ${a} in encoder and ${b} in target_encoder`];
  });
}

function describe(tensor: Tensor | undefined): string {
  return tensor ? `[${tensor.shape}]` : "missing";
}

/** D, if the authors' names have it. */
function widthOf(encoder: Tensors): number | undefined {
  return encoder.get("cls_token")?.shape.at(-1);
}

/** @param D the encoder's width, if it is known. */
function headFaults(head: Tensors, D: number | undefined): string[] {
  const expected = headShapes(head, D);
  const faults: string[] = [];
  for (const [name, shape] of expected) {
    const tensor = head.get(name);
    if (describe(tensor) !== `[${shape}]`) {
      faults.push(`fc.${name} is ${describe(tensor)} and should be [${shape}]`);
    } else if (shape.includes(0)) faults.push(`fc.${name} is [${shape}], which is empty`);
    else if (!name.endsWith(COUNTER) && !FLOATS.includes(tensor!.dtype)) {
      faults.push(`fc.${name} is ${tensor!.dtype}, not a floating-point type`);
    }
  }
  for (const [name, tensor] of head) {
    if (!expected.has(name)) faults.push(`fc.${name} ${describe(tensor)} is unknown`);
  }
  return faults;
}

/** The batches that a batch norm has seen. */
const COUNTER = "num_batches_tracked";

/** Takes H and P, which may be any, from the weights of the first and the last layer. */
function headShapes(
  head: Tensors,
  D: number | undefined,
): Map<string, readonly (number | string)[]> {
  const [H = "H", inputs = "D"] = head.get("fc1.weight")?.shape ?? [];
  const [P = "P"] = head.get("fc3.weight")?.shape ?? [];
  const shapes = new Map<string, readonly (number | string)[]>([
    ["fc1.weight", [H, D ?? inputs]],
    ["fc1.bias", [H]],
    ["fc2.weight", [H, H]],
    ["fc2.bias", [H]],
    ["fc3.weight", [P, H]],
    ["fc3.bias", [P]],
  ]);
  if ([...head.keys()].some((name) => name.startsWith("bn"))) {
    for (const norm of ["bn1", "bn2"]) {
      for (const part of ["weight", "bias", "running_mean", "running_var"]) {
        shapes.set(`${norm}.${part}`, [H]);
      }
      shapes.set(`${norm}.${COUNTER}`, []);
    }
  }
  return shapes;
}

/** @param P the width of the head's output, if there is a head. */
function prototypeFaults({ dtype, shape }: Tensor, P: number | undefined): string[] {
  if (shape.length !== 2) return [`prototypes is [${shape}], not [K, P]`];
  if (shape.includes(0)) return [`prototypes is [${shape}], which is empty`];
  if (!FLOATS.includes(dtype)) return [`prototypes is ${dtype}, not a floating-point type`];
  if (P === undefined || shape[1] === P) return [];
  return [`prototypes is [${shape}], but the head's output is ${P} wide`];
}
