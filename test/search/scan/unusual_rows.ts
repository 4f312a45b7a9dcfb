import { uniform } from "../../random.ts";
import { clustered } from "../clustered.ts";

/** The largest number of float16. */
const MAX = 65_504;

const between = (least: number, x: number, most: number) => Math.max(least, Math.min(most, x));

/** Rows in clusters, and among them those that are hard to bound: zeros, spikes, equal, tiny and huge ones. */
export function unusualRows(count: number, dimension: number, seed: number): Float16Array[] {
  const random = uniform(seed);
  const some = (limit: number) => Math.floor(random() * limit);
  const rows = clustered(count, dimension, seed).map((row) => Float16Array.from(row));
  for (let n = 0; n < count / 4; n++) {
    const r = some(count);
    const scale = 2 ** (some(38) - 24);
    switch (some(6)) {
      case 0:
        rows[r]!.fill(0);
        break;
      case 1:
        rows[r]![some(dimension)] = 60_000 * (random() - 0.5);
        break;
      case 2:
        rows[r] = rows[some(count)]!.slice();
        break;
      case 3: // few steps of the smallest subnormal number
        rows[r] = rows[r]!.map(() => (some(9) - 4) * 2 ** -24);
        break;
      case 4:
        rows[r] = rows[r]!.map((x) => between(-MAX, x * scale, MAX));
        break;
      case 5:
        rows[r] = rows[r]!.map((_, i) => i % 2 === 0 ? MAX : -MAX);
        break;
    }
  }
  return rows;
}

/** Queries of many sizes and shapes, some of them rows; below 32768. */
export function unusualQueries(rows: readonly Float16Array[], count: number, seed: number) {
  const random = uniform(seed);
  const dimension = rows[0]!.length;
  const plain = clustered(count, dimension, seed + 1);
  return plain.map((query, q) => {
    switch (q % 6) {
      case 0:
        return query;
      case 1:
        return Float32Array.from(
          rows[Math.floor(random() * rows.length)]!,
          (x) => between(-30_000, x, 30_000),
        );
      case 2: // one number alone
        return query.map((x, i) => i === q % dimension ? 1 : x * 1e-9);
      case 3:
        return query.map((x) => x * 10 ** (20 * random() - 17));
      case 4: // all of one size, so that their sum is the largest
        return query.map((x) => Math.sign(x) * 0.3);
      default:
        return query.map((x) => x ** 3 * 1000);
    }
  });
}
