/** A number in [0, 1) that looks random but belongs to the three integers for good. */
export function hash(i: number, j: number, k: number): number {
  let h = Math.imul(i, 0x27d4eb2d) ^ Math.imul(j, 0x165667b1) ^ Math.imul(k, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** A smooth random function of space with values in [0, 1] and features about 1 wide. */
export function noise(x: number, y: number, z = 0): number {
  const i = Math.floor(x), j = Math.floor(y), k = Math.floor(z);
  const u = fade(x - i), v = fade(y - j), w = fade(z - k);
  const near = plane(i, j, k, u, v);
  return w === 0 ? near : near + (plane(i, j, k + 1, u, v) - near) * w;
}

/** Noise with finer and fainter noise on top, as clouds have it; values in [0, 1]. */
export function cloudNoise(x: number, y: number, z: number, octaves: number): number {
  let sum = 0, weight = 0.5, total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    sum += weight * noise(x, y, z);
    total += weight;
    weight *= 0.5;
    // Not exactly doubled, and moved, so that the lattices of the octaves do not line up.
    x = x * 2.03 + 17.1;
    y = y * 2.01 + 5.3;
    z = z * 2.02 + 9.7;
  }
  return sum / total;
}

/** A random number of about normal distribution, standard deviation 1, for the two integers. */
export function grain(i: number, j: number): number {
  return (hash(i, j, 1) + hash(i, j, 2) + hash(i, j, 3) + hash(i, j, 4) - 2) * Math.sqrt(3);
}

function plane(i: number, j: number, k: number, u: number, v: number): number {
  const a = hash(i, j, k), b = hash(i + 1, j, k);
  const c = hash(i, j + 1, k), d = hash(i + 1, j + 1, k);
  return a + (b - a) * u + (c - a + (a - b - c + d) * u) * v;
}

function fade(t: number): number {
  return t * t * t * (t * (t * 6 - 15) + 10);
}
