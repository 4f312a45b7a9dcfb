/** An interpolation filter, under Pillow's name. */
export type Resampling = "bilinear" | "bicubic" | "lanczos";

interface Filter {
  /** The filter's radius: it is 0 beyond this distance from its centre. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const FILTERS: Readonly<Record<Resampling, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: bicubic },
  lanczos: { support: 3, weight: (x) => Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0 },
};

/** The fraction bits of Pillow's fixed point: 32, less 8 for the pixel and 2 of headroom. */
export const PRECISION_BITS = 22;

/** For each output position on an axis: the input positions it depends on and their weights. */
export interface Weights {
  /** The first input position of each output position. */
  readonly start: Int32Array;
  /** The number of input positions from `start`. */
  readonly count: Int32Array;
  /** `size` fixed-point weights per output position; those past `count` are 0. */
  readonly weights: Int32Array;
  /** The weights reserved per output position. */
  readonly size: number;
}

/**
 * Computes an axis's weights as Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc` do
 * (libImaging/Resample.c). When downscaling, the filter is widened to cover every input position.
 *
 * @returns weights with an even `size`.
 */
export function resamplingWeights(
  inSize: number,
  outSize: number,
  resampling: Resampling,
): Weights {
  const filter = FILTERS[resampling];
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = filter.support * filterScale;
  const size = Math.ceil(support) * 2 + 2;
  const start = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * size);
  const row = new Float64Array(size);
  for (let out = 0; out < outSize; out++) {
    const center = (out + 0.5) * scale;
    const min = Math.max(0, Math.trunc(center - support + 0.5));
    const max = Math.min(inSize, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let i = 0; i < max - min; i++) {
      row[i] = filter.weight((i + min - center + 0.5) / filterScale);
      sum += row[i]!;
    }
    for (let i = 0; i < max - min; i++) {
      const weight = row[i]! / sum * 2 ** PRECISION_BITS;
      weights[out * size + i] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    start[out] = min;
    count[out] = max - min;
  }
  return { start, count, weights, size };
}

/** Keys' cubic convolution with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  return Math.sin(x * Math.PI) / (x * Math.PI);
}
