import type { FinetuneRecord } from "../../../src/train/finetune/training_record.ts";

/** The records of a run that goes well. */
export function trainingRecords(epochs: number): FinetuneRecord[] {
  return Array.from({ length: epochs }, (_, i) => {
    const share = (i + 1) / epochs;
    return {
      epoch: i + 1,
      epochs,
      step: 60 * (i + 1),
      loss: 2.3 * Math.exp(-3 * share) + 0.05 * Math.sin(i),
      learningRate: 1e-3 * (1 + Math.cos(Math.PI * share)) / 2,
      gradientNorm: 3 - 2 * share,
      imagesPerSecond: 118.4,
      seconds: 8.1 * (i + 1),
      validation: { accuracy: 0.3 + 0.6 * share + 0.01 * Math.cos(i), loss: 2 - share, images: 50 },
      averaged: { accuracy: 0.25 + 0.67 * share, loss: 2 - 1.1 * share, images: 50 },
    };
  });
}
