/** How the loss is computed; f32 numbers. */
export interface MsnLossSettings {
  /** 1 / τ */
  readonly scale: number;
  /** 1 / T */
  readonly sharpening: number;
  readonly sinkhornIterations: number;
  readonly labelSmoothing: number;
  readonly meMaxWeight: number;
  readonly entropyWeight: number;
}

/** Cosines to K prototypes: of n anchors and B targets. */
export interface Cosines {
  readonly K: number;
  readonly anchors: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
}

/** The loss in double precision, without bounds of what is small. */
export function msnLossReference(
  { K, anchors, targets }: Cosines,
  settings: MsnLossSettings,
) {
  const { scale, sharpening, sinkhornIterations, labelSmoothing: e } = settings;
  const softmax = (cosines: ArrayLike<number>) => {
    const rows = Array.from(
      { length: cosines.length / K },
      (_, row) => Array.from({ length: K }, (_, k) => Math.exp(cosines[row * K + k]! * scale)),
    );
    return rows.map((row) => normalized(row));
  };
  const smooth = (rows: number[][]) => rows.map((row) => row.map((q) => (1 - e) * q + e / K));
  const anchorRows = softmax(anchors), unsharpened = softmax(targets);
  const p = smooth(anchorRows);
  let t = smooth(unsharpened).map((row) => normalized(row.map((x) => x ** sharpening)));
  for (let i = 0; i < sinkhornIterations; i++) {
    const columns = Array.from({ length: K }, (_, k) => t.reduce((sum, row) => sum + row[k]!, 0));
    t = t.map((row) => normalized(row.map((x, k) => x / columns[k]!)));
  }
  const n = p.length, B = t.length;
  const mean = Array.from({ length: K }, (_, k) => p.reduce((sum, row) => sum + row[k]!, 0) / n);
  const plogq = (a: number[], b: number[]) => a.reduce((sum, x, k) => sum + x * Math.log(b[k]!), 0);
  const crossEntropy = -p.reduce((sum, row, i) => sum + plogq(t[i % B]!, row), 0) / n;
  const meMax = plogq(mean, mean) + Math.log(K);
  const entropy = -p.reduce((sum, row) => sum + plogq(row, row), 0) / n;
  const loss = crossEntropy + settings.meMaxWeight * meMax + settings.entropyWeight * entropy;
  return { loss, crossEntropy, meMax, entropy, anchors: anchorRows, unsharpened, targets: t };
}

function normalized(row: number[]): number[] {
  const sum = row.reduce((a, b) => a + b);
  return row.map((x) => x / sum);
}
