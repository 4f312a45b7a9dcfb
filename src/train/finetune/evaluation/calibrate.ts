import { bestProbability, Head } from "../../../heads/head.ts";
import { fitTemperature } from "../../../heads/fit/temperature.ts";
import { countsOf } from "../../../heads/fit/samples.ts";
import { toFeature } from "../../../heads/feature.ts";
import { matrixOf, rowOf, toTensor } from "../../../tensor/matrix.ts";
import { classMeans } from "../../../heads/fit/prototypes.ts";
import { toSamples } from "../../../heads/fit/samples.ts";
import { fromLinearClassifier } from "../../../vit_msn/head/linear_classifier.ts";
import type { LayerNormWeights } from "../../../vit_msn/layer_norm.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** A trained classifier, and images to calibrate it on. */
export interface TrainedClassifier {
  /** [K, D] and [K], on the output of the final LayerNorm. */
  readonly weight: Tensor<"float32">;
  readonly bias: Tensor<"float32">;
  readonly layerNorm: LayerNormWeights;
  readonly labels: readonly string[];
}

/** Outputs of images: CLS after the final LayerNorm, [D] each, the logits, [K] each, and the classes. */
export interface Outputs {
  readonly cls: readonly Float32Array[];
  readonly logits: readonly Float32Array[];
  readonly classes: readonly number[];
}

/** Held-out images from which on a temperature and a rule for unknown images are fitted. */
const MIN_CALIBRATION = 20;

/**
 * Makes a head of a trained classifier, with a temperature and a rule for unknown images that held-out images
 * give, as `fitHead` does by cross-validation.
 *
 * @param training the images that it was trained on: their features' means are the classes' references.
 * @param heldOut other images; with fewer than 20, the head is not calibrated.
 */
export function headOfClassifier(
  { weight, bias, layerNorm, labels }: TrainedClassifier,
  training: Outputs,
  heldOut: Outputs | undefined,
  falseRejectionRate: number,
): Head {
  const K = labels.length;
  const features = matrixOf(training.cls.map((cls) => toFeature(cls, layerNorm)));
  const samples = toSamples(features, training.classes, K, "none");
  const isCalibrated = heldOut !== undefined && heldOut.logits.length >= MIN_CALIBRATION;
  const settings = {
    method: "logistic" as const,
    labels,
    counts: countsOf(training.classes, K),
    temperature: 1,
    calibrated: false,
  };
  const tensors = {
    ...fromLinearClassifier({ weight, bias }, layerNorm),
    means: toTensor(classMeans(samples)),
  };
  if (!isCalibrated) return new Head({ settings, tensors });
  const logits = matrixOf(heldOut.logits);
  const temperature = fitTemperature(logits, heldOut.classes, heldOut.classes.map(() => 1));
  const scores = heldOut.logits
    .map((_, i) => bestProbability(rowOf(logits, i).map((z) => z / temperature)))
    .sort((a, b) => a - b);
  const threshold = scores[Math.floor(falseRejectionRate * scores.length)]!;
  return new Head({
    settings: {
      ...settings,
      temperature,
      calibrated: true,
      unknown: { criterion: "probability", threshold, falseRejectionRate },
    },
    tensors,
  });
}
