/**
 * How long heads take to fit: 100 classes, 10 images each, features of 384 numbers, on one thread.
 *
 * @module
 */

import { fitHead } from "../../src/heads/fit/fit_head.ts";
import { HEAD_METHODS } from "../../src/heads/fit/method.ts";
import { clusters } from "../heads/fit/samples.ts";
import { medianTimes } from "./support/measure.ts";

const [CLASSES, IMAGES, SIZE, ROUNDS] = [100, 10, 384, 5];

const counts = Object.fromEntries(
  Array.from({ length: CLASSES }, (_, c) => [`class ${c}`, IMAGES]),
);
const support = clusters(counts, { size: SIZE, noise: 1.5 });

const tasks = {
  ...Object.fromEntries(HEAD_METHODS.map((method) => [method, () => fitHead(support, { method })])),
  "logistic, lambd 0.25": () => fitHead(support, { method: "logistic", l2: 0.25 }),
  "auto": () => fitHead(support),
};
console.log(`Heads of ${CLASSES} classes, ${IMAGES} images each, ${SIZE} numbers a feature:`);
for (const [name, ms] of Object.entries(await medianTimes(tasks, ROUNDS))) {
  console.log(`  ${name.padEnd(22)} ${ms.toFixed(0).padStart(5)} ms`);
}
