import type { PretrainRecord } from "../../../src/train/msn/pretrain_events.ts";

const [STEPS, BATCH] = [60, 64];

/** The records of a run that goes well: that of the untrained network, and `count` others. */
export function pretrainRecords(count: number): PretrainRecord[] {
  const untrained: PretrainRecord = {
    epoch: 1,
    epochs: count,
    step: 0,
    images: 0,
    knnAccuracy: 0.31,
    guessing: 0.125,
    effectiveRank: 32.1,
    largestRank: 191,
    featureSimilarity: 0.48,
    seconds: 0,
  };
  const others = Array.from({ length: count }, (_, i): PretrainRecord => {
    const share = (i + 1) / count;
    const [crossEntropy, meMax] = [6 - 3 * share + 0.1 * Math.sin(i), 0.8 - 0.6 * share];
    return {
      ...untrained,
      epoch: i + 1,
      step: STEPS * (i + 1),
      images: STEPS * BATCH * (i + 1),
      knnAccuracy: 0.33 + 0.4 * share + 0.01 * Math.cos(i),
      effectiveRank: 32 + 30 * share + Math.sin(i),
      featureSimilarity: 0.48 - 0.1 * share,
      prototypes: 1024,
      targets: STEPS * BATCH,
      prototypesInUse: Math.round(500 + 400 * share),
      targetEntropy: 5 - 3 * share,
      targetEntropyShare: (5 - 3 * share) / Math.log(1024),
      meanTargetProbability: 0.1 + 0.5 * share,
      loss: crossEntropy + meMax,
      crossEntropy,
      meMax,
      entropy: 5.5 - 2 * share,
      gradientNorm: 3 - 2 * share,
      learningRate: 1e-3 * (1 + Math.cos(Math.PI * share)) / 2,
      weightDecay: 0.04 + 0.36 * share,
      momentum: 0.996 + 0.004 * share,
      imagesPerSecond: 41.3 + Math.sin(i),
      seconds: 93 * (i + 1),
    };
  });
  return [untrained, ...others];
}
