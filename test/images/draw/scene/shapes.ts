import { clamp, type Vec3 } from "./vectors.ts";

/** What has a value at every point of space. */
export type Field<T> = (x: number, y: number, z: number) => T;

/** A solid: how far a point is from its surface, negative inside (a signed distance function). */
export type Shape = Field<number>;

/** A corner of a flat outline. */
export type Corner = readonly [number, number];

/** A ball. */
export function ball([cx, cy, cz]: Vec3, radius: number): Shape {
  return (x, y, z) => Math.hypot(x - cx, y - cy, z - cz) - radius;
}

/** A ball stretched along the axes. */
export function ellipsoid([cx, cy, cz]: Vec3, [rx, ry, rz]: Vec3): Shape {
  return (x, y, z) => {
    const px = (x - cx) / rx, py = (y - cy) / ry, pz = (z - cz) / rz;
    const k0 = Math.sqrt(px * px + py * py + pz * pz);
    const k1 = Math.sqrt((px / rx) ** 2 + (py / ry) ** 2 + (pz / rz) ** 2);
    return k1 === 0 ? -Math.min(rx, ry, rz) : k0 * (k0 - 1) / k1;
  };
}

/** A box with rounded edges, `half` from its centre to its sides. */
export function box([cx, cy, cz]: Vec3, half: Vec3, rounding = 0): Shape {
  const hx = half[0] - rounding, hy = half[1] - rounding, hz = half[2] - rounding;
  return (x, y, z) =>
    cornered(Math.abs(x - cx) - hx, Math.abs(y - cy) - hy, Math.abs(z - cz) - hz) - rounding;
}

/** A limb: a round bar from `a` to `b` whose radius goes from `ra` to `rb`. */
export function limb(a: Vec3, b: Vec3, ra: number, rb = ra): Shape {
  const [ax, ay, az] = a;
  const bx = b[0] - ax, by = b[1] - ay, bz = b[2] - az;
  const lengthSquared = bx * bx + by * by + bz * bz;
  return (x, y, z) => {
    const px = x - ax, py = y - ay, pz = z - az;
    const h = clamp((px * bx + py * by + pz * bz) / lengthSquared, 0, 1);
    const dx = px - bx * h, dy = py - by * h, dz = pz - bz * h;
    return Math.sqrt(dx * dx + dy * dy + dz * dz) - (ra + (rb - ra) * h);
  };
}

/** A disc or pipe around the z axis, `half` to either side of its centre. */
export function drum([cx, cy, cz]: Vec3, radius: number, half: number, rounding = 0): Shape {
  return (x, y, z) => {
    const dr = Math.hypot(x - cx, y - cy) - radius + rounding;
    return cornered(dr, Math.abs(z - cz) - half + rounding, -1) - rounding;
  };
}

/** An outline in x and y made solid from z = `-half` to z = `half`, its edges rounded. */
export function slab(outline: readonly Corner[], half: number, rounding = 0): Shape {
  const distance = outlineDistance(outline);
  return (x, y, z) =>
    cornered(distance(x, y) + rounding, Math.abs(z) - half + rounding, -1) - rounding;
}

/** The shape, or what colours it, moved. */
export function moved<T>(field: Field<T>, [dx, dy, dz]: Vec3): Field<T> {
  return (x, y, z) => field(x - dx, y - dy, z - dz);
}

/** The shape, or what colours it, turned around the z axis, anticlockwise. */
export function rolled<T>(field: Field<T>, degrees: number): Field<T> {
  const [c, s] = turn(degrees);
  return (x, y, z) => field(c * x + s * y, c * y - s * x, z);
}

/** The shape, or what colours it, turned around the y axis; x goes towards -z. */
export function turned<T>(field: Field<T>, degrees: number): Field<T> {
  const [c, s] = turn(degrees);
  return (x, y, z) => field(c * x - s * z, y, c * z + s * x);
}

/** The shape, or what colours it, turned around the x axis; y goes towards z. */
export function tipped<T>(field: Field<T>, degrees: number): Field<T> {
  const [c, s] = turn(degrees);
  return (x, y, z) => field(x, c * y + s * z, c * z - s * y);
}

/** What of the shape is at z > 0, there and mirrored at the other side. */
export function bothSides(shape: Shape): Shape {
  return (x, y, z) => shape(x, y, Math.abs(z));
}

/** All of the shapes. */
export function union(...shapes: readonly Shape[]): Shape {
  return (x, y, z) => {
    let least = Infinity;
    for (const shape of shapes) least = Math.min(least, shape(x, y, z));
    return least;
  };
}

/** All of the shapes, grown together where they are nearer than about `width`. */
export function blend(width: number, first: Shape, ...rest: readonly Shape[]): Shape {
  return (x, y, z) => {
    let least = first(x, y, z);
    for (const shape of rest) {
      const other = shape(x, y, z);
      const h = Math.max(width - Math.abs(least - other), 0) / width;
      least = Math.min(least, other) - h * h * width / 4;
    }
    return least;
  };
}

/** What the shapes have in common. */
export function common(...shapes: readonly Shape[]): Shape {
  return (x, y, z) => {
    let most = -Infinity;
    for (const shape of shapes) most = Math.max(most, shape(x, y, z));
    return most;
  };
}

/** The shape without the other. */
export function without(shape: Shape, other: Shape): Shape {
  return (x, y, z) => Math.max(shape(x, y, z), -other(x, y, z));
}

function cornered(dx: number, dy: number, dz: number): number {
  const ox = Math.max(dx, 0), oy = Math.max(dy, 0), oz = Math.max(dz, 0);
  return Math.sqrt(ox * ox + oy * oy + oz * oz) + Math.min(Math.max(dx, dy, dz), 0);
}

function turn(degrees: number): readonly [cos: number, sin: number] {
  const angle = degrees * Math.PI / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

function outlineDistance(outline: readonly Corner[]): (x: number, y: number) => number {
  const edges = outline.map(([ax, ay], i) => {
    const [bx, by] = outline[(i + 1) % outline.length]!;
    const ex = bx - ax, ey = by - ay;
    return { ax, ay, by, ex, ey, lengthSquared: ex * ex + ey * ey };
  });
  return (x, y) => {
    let least = Infinity, inside = false;
    for (const { ax, ay, by, ex, ey, lengthSquared } of edges) {
      const px = x - ax, py = y - ay;
      const h = clamp((px * ex + py * ey) / lengthSquared, 0, 1);
      const dx = px - ex * h, dy = py - ey * h;
      least = Math.min(least, dx * dx + dy * dy);
      if ((ay > y) !== (by > y) && px < ex * py / ey) inside = !inside;
    }
    return inside ? -Math.sqrt(least) : Math.sqrt(least);
  };
}
