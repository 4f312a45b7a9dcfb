/** A point or direction in space: x to the right, y up, z towards the viewer. */
export type Vec3 = readonly [x: number, y: number, z: number];

/** A colour as light (linear, not gamma encoded): red, green, blue; 1 is the brightest shown. */
export type Light = readonly [red: number, green: number, blue: number];

/** The light of a colour given as a screen shows it, each part 0 to 255. */
export function rgb(red: number, green: number, blue: number): Light {
  return [(red / 255) ** 2.2, (green / 255) ** 2.2, (blue / 255) ** 2.2];
}

/** The sum of two vectors. */
export function add(a: Vec3, b: Vec3): Vec3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

/** The vector times a number. */
export function scale(a: Vec3, factor: number): Vec3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

/** The vectors multiplied part by part, as light with the colour it falls on. */
export function multiply(a: Vec3, b: Vec3): Vec3 {
  return [a[0] * b[0], a[1] * b[1], a[2] * b[2]];
}

/** `a` at 0, `b` at 1, on the straight line in between. */
export function mix(a: Vec3, b: Vec3, share: number): Vec3 {
  return [
    a[0] + (b[0] - a[0]) * share,
    a[1] + (b[1] - a[1]) * share,
    a[2] + (b[2] - a[2]) * share,
  ];
}

/** The scalar product. */
export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** The vector product. */
export function cross(a: Vec3, b: Vec3): Vec3 {
  return [
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  ];
}

/** The vector at length 1. */
export function normalize(a: Vec3): Vec3 {
  return scale(a, 1 / Math.sqrt(dot(a, a)));
}

/** Where `direction` goes on from a mirror that faces `normal`. */
export function reflect(direction: Vec3, normal: Vec3): Vec3 {
  return add(direction, scale(normal, -2 * dot(direction, normal)));
}

/** The number, or the nearer limit. */
export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** 0 up to `from`, 1 after `to`, a soft step in between. */
export function smoothstep(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from), 0, 1);
  return t * t * (3 - 2 * t);
}
