const BYTES: usize = 16;
/** Multiplies a hash: from xxHash. */
const PRIME: i32 = 0x9e3779b1;

/**
 * The sum, modulo 2³², of a hash of each row and its number: rows can be added to it later.
 *
 * @param rows [count, vectors] of 16 bytes
 * @param first the number of the first row
 */
export function checksum(rows: usize, count: i32, vectors: i32, first: i32): i32 {
  const prime = i32x4.splat(PRIME);
  let sum = 0;
  for (let r = 0; r < count; r++) {
    // Two chains, as a product takes long.
    let a = i32x4.splat(first + r);
    let b = i32x4.splat(vectors);
    let v = 0;
    for (; v + 2 <= vectors; v += 2, rows += 2 * BYTES) {
      a = i32x4.add(i32x4.mul(a, prime), v128.load(rows));
      b = i32x4.add(i32x4.mul(b, prime), v128.load(rows, 16));
    }
    for (; v < vectors; v++, rows += BYTES) a = i32x4.add(i32x4.mul(a, prime), v128.load(rows));
    const both = i32x4.add(i32x4.mul(a, prime), b);
    let hash = i32x4.extract_lane(both, 0);
    hash = hash * PRIME + i32x4.extract_lane(both, 1);
    hash = hash * PRIME + i32x4.extract_lane(both, 2);
    hash = hash * PRIME + i32x4.extract_lane(both, 3);
    hash ^= hash >>> 15;
    sum += hash * PRIME;
  }
  return sum;
}
