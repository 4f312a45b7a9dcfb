import type { Tensors } from "../checkpoint/safetensors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { assertMsnTraining, type MsnTraining } from "./msn_training.ts";
import { readModelFiles } from "./read_model_files.ts";
import { tensorsUnder } from "./tensors_under.ts";

/** The head's part of the names in the authors' code. */
const HEAD = "fc.";
/** In front of all names of a model that was trained with `DistributedDataParallel`. */
const DISTRIBUTED = "module.";

/**
 * Reads a checkpoint to go on pre-training from: a training state that the authors' code saved (`.pth.tar`),
 * a dict of `encoder`, `target_encoder`, `prototypes` and `epoch`
 * (https://github.com/facebookresearch/msn, `save_checkpoint`), or any other checkpoint.
 *
 * If a training state has no `encoder`, its target encoder is taken for both. Any other checkpoint's
 * weights are taken for both, too, and have no prototypes. The names lose the prefix `module.`.
 *
 * The head is `fc1.weight` [H, D], `fc1.bias`, `fc2.weight` [H, H], `fc2.bias`, `fc3.weight` [P, H] and
 * `fc3.bias`, and if it has batch norms, `weight`, `bias`, `running_mean`, `running_var` [H] and
 * `num_batches_tracked` [] of `bn1` and `bn2`.
 *
 * @param source a weights file or a folder; see {@linkcode readModelFiles}, also for further errors.
 * @throws {SyntaxError} if the parts do not fit each other; the message names the file and says what is wrong.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readMsnTraining } from "./read_msn_training.ts";
 *
 * const { prototypes, targetHead } = await readMsnTraining("test/golden/msn_training");
 * assertEquals(prototypes?.shape, [6, 4]);
 * assertEquals(targetHead?.get("fc3.weight")?.shape, [4, 8]);
 * ```
 */
export async function readMsnTraining(source: string): Promise<MsnTraining> {
  const { config, preprocessorConfig, path, tensors, numbers } = await readModelFiles(source);
  const target = tensorsUnder("target_encoder.", tensors);
  const isTrainingState = target.size > 0;
  const ofTarget = splitHead(isTrainingState ? target : tensors, path);
  // Elsewhere `encoder.` is Hugging Face's prefix of the blocks.
  const online = isTrainingState ? tensorsUnder("encoder.", tensors) : new Map<string, Tensor>();
  const ofEncoder = online.size > 0 ? splitHead(online, path) : ofTarget;
  const epoch = isTrainingState ? numbers.get("epoch") : undefined;
  const training: MsnTraining = {
    config,
    preprocessorConfig,
    encoder: ofEncoder.weights,
    targetEncoder: ofTarget.weights,
    encoderHead: ofEncoder.head,
    targetHead: ofTarget.head,
    prototypes: isTrainingState ? tensors.get("prototypes") : undefined,
    ...(epoch === undefined ? {} : { epoch }),
  };
  assertMsnTraining(training, path);
  return training;
}

function splitHead(
  tensors: Tensors,
  path: string,
): { weights: Tensors; head: Tensors | undefined } {
  const weights = new Map<string, Tensor>();
  const head = new Map<string, Tensor>();
  for (const [source, tensor] of tensors) {
    const name = withoutPrefix(source);
    const [part, key] = name.startsWith(HEAD) ? [head, name.slice(HEAD.length)] : [weights, name];
    if (part.has(key)) {
      throw new SyntaxError(
        `Cannot go on pre-training from ${path}: it has ${name} both with and without ${DISTRIBUTED}`,
      );
    }
    part.set(key, tensor);
  }
  return { weights, head: head.size > 0 ? head : undefined };
}

function withoutPrefix(name: string): string {
  return name.startsWith(DISTRIBUTED) ? name.slice(DISTRIBUTED.length) : name;
}
