import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { uniform } from "../../random.ts";
import { assertClose, integer, numbers } from "../numbers.ts";
import { type Cosines, msnLossReference, type MsnLossSettings } from "./msn_loss_reference.ts";
import { TRAIN_BUILDS, TrainInstance } from "./instance.ts";

const TOLERANCE = 1e-5;
/** The share of the largest gradient by which the slopes of the reference may differ. */
const SLOPE_TOLERANCE = 2e-5;
const STEP = 1e-5;

const PLAIN: MsnLossSettings = {
  scale: 10,
  sharpening: 4,
  sinkhornIterations: 0,
  labelSmoothing: 0,
  meMaxWeight: 1,
  entropyWeight: 0,
};

const CASES: Readonly<Record<string, Partial<MsnLossSettings>>> = {
  "the cross-entropy alone": { meMaxWeight: 0 },
  "mean-entropy maximisation": { meMaxWeight: 2.5 },
  // Probabilities stay far above the least f32: a column of them is divided by its sum, however small.
  "Sinkhorn": { sinkhornIterations: 3, scale: 5 },
  "one round of Sinkhorn": { sinkhornIterations: 1, scale: 5, meMaxWeight: 0 },
  "label smoothing": { labelSmoothing: 0.125 },
  "the anchors' entropy": { meMaxWeight: 0, entropyWeight: 0.5 },
  "all parts": {
    sinkhornIterations: 2,
    labelSmoothing: 0.25,
    meMaxWeight: 1.5,
    entropyWeight: 0.75,
  },
  "targets as they are": { sharpening: 1 },
};

for (const build of TRAIN_BUILDS) {
  for (const [title, changes] of Object.entries(CASES)) {
    Deno.test(`${build} kernels: msnLoss() with ${title} is the formula's, and its slope`, () => {
      const random = uniform(71);
      for (let i = 0; i < 8; i++) {
        const B = integer(random, 1, 5), views = integer(random, 1, 4);
        // An only prototype has all probability: nothing has a slope.
        const K = i === 0 ? 1 : integer(random, 2, 21);
        const cosines = {
          K,
          anchors: numbers(random, views * B * K),
          targets: numbers(random, B * K),
        };
        const settings = { ...PLAIN, scale: Math.fround(4 + 12 * random()), ...changes };
        const what = `B ${B}, views ${views}, K ${K}`;
        const actual = msnLoss(build, cosines, settings);
        const expected = msnLossReference(cosines, settings);
        for (const name of ["crossEntropy", "meMax", "entropy"] as const) {
          assertAlmostEquals(actual[name], expected[name], TOLERANCE, `${name} of ${what}`);
        }
        for (const name of ["anchors", "unsharpened", "targets"] as const) {
          assertClose(actual[name], expected[name].flat(), TOLERANCE, `${name} of ${what}`);
        }
        const slopes = slopesOf(cosines, settings);
        const largest = slopes.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
        const tolerance = SLOPE_TOLERANCE * Math.max(largest, 1e-3);
        assertEquals(actual.gradients.length, slopes.length);
        slopes.forEach((slope, j) => {
          const message = `gradient ${j} of ${what}`;
          assertAlmostEquals(actual.gradients[j]!, slope, tolerance, message);
        });
      }
    });
  }

  for (const [title, changes] of Object.entries(CASES)) {
    Deno.test(`${build} kernels: msnLoss() of cosines of 1 and -1 at τ 0.01, with ${title}, is finite`, () => {
      const random = uniform(72);
      const K = 12, B = 3;
      const extreme = (count: number) =>
        Float32Array.from({ length: count }, () => random() < 0.5 ? 1 : -1);
      // All anchors are at the same prototype: no other one has a share.
      const alone = Float32Array.from({ length: 2 * B * K }, (_, i) => i % K === 0 ? 1 : -1);
      for (const anchors of [extreme(2 * B * K), alone]) {
        const cosines = { K, anchors, targets: extreme(B * K) };
        const result = msnLoss(build, cosines, { ...PLAIN, ...changes, scale: 100 });
        for (const [name, value] of Object.entries(result)) {
          const all = typeof value === "number" ? [value] : [...value];
          assert(all.every(Number.isFinite), `${name} is not finite`);
        }
        const { targets } = result;
        for (let row = 0; row < B; row++) {
          const sum = targets.slice(row * K, (row + 1) * K).reduce((a, b) => a + b);
          assertAlmostEquals(sum, 1, 1e-5, "a target's probabilities");
        }
      }
    });
  }

  Deno.test(`${build} kernels: msnLoss() of anchors that are all alike has the greatest meMax, log K`, () => {
    const K = 8;
    const anchors = Float32Array.from({ length: 4 * K }, (_, i) => i % K === 3 ? 1 : -1);
    const settings = { ...PLAIN, scale: 100 };
    const { meMax, entropy, crossEntropy } = msnLoss(
      build,
      { K, anchors, targets: anchors.slice(0, 2 * K) },
      settings,
    );
    assertAlmostEquals(meMax, Math.log(K), 1e-6);
    assertAlmostEquals(entropy, 0, 1e-6);
    assertAlmostEquals(crossEntropy, 0, 1e-6);
  });
}

function msnLoss(
  build: typeof TRAIN_BUILDS[number],
  { K, anchors, targets }: Cosines,
  settings: MsnLossSettings,
) {
  const instance = new TrainInstance(build);
  const n = anchors.length / K, B = targets.length / K;
  const stride = 4 * K + 12;
  const places = {
    anchorProbabilities: instance.guardedRows(Float32Array.from(anchors), K, stride),
    targetProbabilities: instance.guardedRows(Float32Array.from(targets), K, stride),
    unsharpened: instance.guarded(B * stride),
    dSimilarities: instance.guarded(n * stride),
    sums: instance.guarded(8 * K),
    results: instance.guarded(3 * 8),
  };
  const loss = instance.putStruct("MsnLoss", {
    images: B,
    anchors: n,
    prototypes: K,
    stride,
    ...places,
    ...settings,
  });
  instance.kernels.msnLoss(loss);
  instance.take(places.sums, 2 * K);
  const takeRows = (place: number, rows: number) => instance.takeRows(place, rows, K, stride);
  const results = new Float64Array(instance.take(places.results, 6).buffer);
  return {
    crossEntropy: results[0]!,
    meMax: results[1]!,
    entropy: results[2]!,
    anchors: takeRows(places.anchorProbabilities, n),
    unsharpened: takeRows(places.unsharpened, B),
    targets: takeRows(places.targetProbabilities, B),
    gradients: takeRows(places.dSimilarities, n),
  };
}

/** The slopes of the reference along the anchors' cosines. */
function slopesOf(cosines: Cosines, settings: MsnLossSettings): Float64Array {
  const wide = Float64Array.from(cosines.anchors);
  return wide.map((x, i) => {
    const [more, less] = [STEP, -STEP].map((h) => {
      const anchors = wide.slice();
      anchors[i] = x + h;
      return msnLossReference({ ...cosines, anchors }, settings).loss;
    });
    return (more! - less!) / (2 * STEP);
  });
}
