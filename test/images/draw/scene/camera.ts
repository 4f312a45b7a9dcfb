import { grain } from "./noise.ts";
import type { Field, Shape } from "./shapes.ts";
import {
  add,
  clamp,
  cross,
  dot,
  type Light,
  mix,
  multiply,
  normalize,
  reflect,
  scale,
  type Vec3,
} from "./vectors.ts";

/** A thing of one material. */
export interface Part {
  readonly shape: Shape;
  readonly colour: Light | Field<Light>;
  /** 0 for cloth or fur, 1 for glass or varnish; 0 if not given. */
  readonly gloss?: number;
  /** Unevenness too fine for the shape: only the light shows it. */
  readonly relief?: Shape;
}

/** The parts in another place: `pose` is one of the moves and turns of a field, or several. */
export function posed(parts: readonly Part[], pose: <T>(field: Field<T>) => Field<T>): Part[] {
  return parts.map((part) => ({
    ...part,
    shape: pose(part.shape),
    colour: typeof part.colour === "function" ? pose(part.colour) : part.colour,
    ...(part.relief && { relief: pose(part.relief) }),
  }));
}

/** The level ground or sea at y = 0. */
export interface Ground {
  readonly colour: (x: number, z: number) => Light;
  /** Waves or bumps: only the light shows them. */
  readonly relief: (x: number, z: number) => number;
  readonly gloss: number;
  /** How far one sees before most of the ground's colour is lost in the haze. */
  readonly sight: number;
}

/** All that a picture is taken of, and from where. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly eye: Vec3;
  /** The point in the middle of the picture. */
  readonly target: Vec3;
  /** The focal length, in half widths of the picture. */
  readonly zoom: number;
  /** The direction to the sun. */
  readonly sun: Vec3;
  readonly sunlight: Light;
  /** The light from the sky and all around. */
  readonly skylight: Light;
  readonly sky: (direction: Vec3) => Light;
  readonly ground?: Ground;
  readonly parts: readonly Part[];
  /** A ball around all the parts. */
  readonly bounds: { readonly centre: Vec3; readonly radius: number };
}

/** Where in a pixel to look, in pixels: a turned square, so that no two share a row or column. */
const SAMPLES = [[0.375, 0.125], [0.875, 0.375], [0.125, 0.625], [0.625, 0.875]] as const;

/** How strong the film's grain is, in steps of 255. */
const GRAIN = 1.6;

/** The picture of a scene, as RGBA. */
export function photograph(scene: Scene): Uint8ClampedArray<ArrayBuffer> {
  const { width, height } = scene;
  const look = lens(scene);
  const data = new Uint8ClampedArray(4 * width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let light: Light = [0, 0, 0];
      for (const [dx, dy] of SAMPLES) {
        light = add(light, radiance(scene, scene.eye, look(column + dx, row + dy), 0));
      }
      const at = 4 * (width * row + column);
      data.set(develop(scale(light, 1 / SAMPLES.length), GRAIN * grain(column, row)), at);
    }
  }
  return data;
}

/** The direction in which each point of the picture lies, given in pixels. */
function lens({ width, height, eye, target, zoom }: Scene): (x: number, y: number) => Vec3 {
  const ahead = normalize(add(target, scale(eye, -1)));
  const right = normalize(cross(ahead, [0, 1, 0]));
  const up = cross(right, ahead);
  return (x, y) => {
    const u = (2 * x - width) / (width * zoom), v = (height - 2 * y) / (width * zoom);
    return normalize(add(ahead, add(scale(right, u), scale(up, v))));
  };
}

/** Film: bright light saturates softly, then the screen's gamma. */
function develop(light: Light, noise: number): [number, number, number, number] {
  const tone = (value: number) => {
    const shown = value < 0.6 ? value : 0.6 + 0.4 * (1 - Math.exp((0.6 - value) / 0.4));
    return 255 * Math.max(shown, 0) ** (1 / 2.2) + noise;
  };
  return [tone(light[0]), tone(light[1]), tone(light[2]), 255];
}

/** The light that reaches `from` out of the direction. */
function radiance(scene: Scene, from: Vec3, direction: Vec3, bounces: number): Light {
  const groundAt = scene.ground && direction[1] < 0 ? -from[1] / direction[1] : Infinity;
  const hit = march(scene, from, direction, groundAt);
  if (hit) return partLight(scene, hit, direction, bounces);
  if (scene.ground && groundAt < Infinity) {
    return groundLight(scene, scene.ground, from, direction, groundAt, bounces);
  }
  return scene.sky(direction);
}

interface Hit {
  readonly part: Part;
  readonly at: Vec3;
  readonly distance: number;
}

/** Sphere tracing: steps as long as the distance to the nearest part, until it is reached. */
function march(scene: Scene, from: Vec3, direction: Vec3, limit: number): Hit | undefined {
  const span = crossing(scene.bounds, from, direction);
  if (!span) return undefined;
  const end = Math.min(span.leave, limit);
  let distance = span.enter;
  for (let step = 0; step < 160 && distance < end; step++) {
    const at = add(from, scale(direction, distance));
    const near = nearest(scene.parts, at);
    if (near.distance < 0.0006 * distance) return { part: near.part, at, distance };
    distance += near.distance * 0.9;
  }
  return undefined;
}

function crossing(
  { centre, radius }: Scene["bounds"],
  from: Vec3,
  direction: Vec3,
): { enter: number; leave: number } | undefined {
  const offset = add(from, scale(centre, -1));
  const b = dot(offset, direction);
  const discriminant = b * b - dot(offset, offset) + radius * radius;
  if (discriminant <= 0) return undefined;
  const root = Math.sqrt(discriminant);
  return -b + root <= 0 ? undefined : { enter: Math.max(-b - root, 0), leave: -b + root };
}

function nearest(parts: readonly Part[], [x, y, z]: Vec3): { part: Part; distance: number } {
  let part = parts[0]!, distance = Infinity;
  for (const candidate of parts) {
    const d = candidate.shape(x, y, z);
    if (d < distance) {
      distance = d;
      part = candidate;
    }
  }
  return { part, distance };
}

function partLight(scene: Scene, hit: Hit, direction: Vec3, bounces: number): Light {
  const { part, at, distance } = hit;
  const { shape, relief, colour, gloss = 0 } = part;
  const surface: Shape = relief ? (x, y, z) => shape(x, y, z) + relief(x, y, z) : shape;
  const normal = gradient(surface, at, 0.0008 * distance);
  const clear = add(at, scale(normal, 0.003 * distance));
  const open = openness(scene, at, normal);
  const base = typeof colour === "function" ? colour(...at) : colour;
  const matt = multiply(base, daylight(scene, clear, normal, open));
  return glossy(scene, matt, { clear, normal, direction, gloss: gloss * open, bounces });
}

function groundLight(
  scene: Scene,
  ground: Ground,
  from: Vec3,
  direction: Vec3,
  distance: number,
  bounces: number,
): Light {
  const at = add(from, scale(direction, distance));
  // Far waves are finer than a pixel: a wider difference smooths them instead of sampling them.
  const reach = 0.004 * distance;
  const [x, , z] = at;
  const normal = normalize([
    (ground.relief(x - reach, z) - ground.relief(x + reach, z)) / (2 * reach),
    1,
    (ground.relief(x, z - reach) - ground.relief(x, z + reach)) / (2 * reach),
  ]);
  const clear = add(at, [0, 0.003 * distance, 0]);
  const open = openness(scene, at, [0, 1, 0]);
  const matt = multiply(ground.colour(x, z), daylight(scene, clear, normal, open));
  const { gloss, sight } = ground;
  const light = glossy(scene, matt, { clear, normal, direction, gloss, bounces });
  const haze = scene.sky(normalize([direction[0], 0.01, direction[2]]));
  return mix(haze, light, Math.exp(-distance / sight));
}

/** The light that falls on a surface. */
function daylight(scene: Scene, at: Vec3, normal: Vec3, open: number): Light {
  const facing = Math.max(dot(normal, scene.sun), 0);
  const sun = facing === 0 ? 0 : facing * shadow(scene, at);
  const above = open * (0.65 + 0.35 * normal[1]);
  return add(scale(scene.sunlight, sun), scale(scene.skylight, above));
}

/** What a surface mirrors, on top of its own light: the more, the flatter one looks at it. */
function glossy(
  scene: Scene,
  matt: Light,
  { clear, normal, direction, gloss, bounces }: {
    readonly clear: Vec3;
    readonly normal: Vec3;
    readonly direction: Vec3;
    readonly gloss: number;
    readonly bounces: number;
  },
): Light {
  if (gloss === 0) return matt;
  const facing = clamp(-dot(direction, normal), 0, 1);
  const mirrored = gloss * (0.05 + 0.95 * (1 - facing) ** 5);
  const onward = reflect(direction, normal);
  const upward: Vec3 = onward[1] < 0.02 && scene.ground?.gloss === gloss
    ? normalize([onward[0], 0.02, onward[2]])
    : onward;
  const seen = bounces === 0 ? radiance(scene, clear, upward, 1) : scene.sky(upward);
  const glint = gloss * Math.max(dot(onward, scene.sun), 0) ** 60;
  return add(mix(matt, seen, mirrored), scale(scene.sunlight, 0.35 * glint));
}

/** 1 in the sun, 0 in the shade, in between where a part almost hides the sun. */
function shadow(scene: Scene, from: Vec3): number {
  const span = crossing(scene.bounds, from, scene.sun);
  if (!span) return 1;
  let light = 1;
  const size = scene.bounds.radius;
  for (let t = Math.max(span.enter, 0.004 * size), step = 0; t < span.leave && step < 60; step++) {
    const { distance } = nearest(scene.parts, add(from, scale(scene.sun, t)));
    light = Math.min(light, 14 * distance / t);
    if (light < 0.01) return 0;
    t += clamp(distance, 0.008 * size, 0.2 * size);
  }
  return light * light * (3 - 2 * light);
}

/** How much of the sky a surface sees past what is near (ambient occlusion). */
function openness(scene: Scene, at: Vec3, normal: Vec3): number {
  const size = scene.bounds.radius;
  const offset = add(at, scale(scene.bounds.centre, -1));
  if (dot(offset, offset) > (1.3 * size) ** 2) return 1;
  let hidden = 0;
  for (const reach of [0.02, 0.06, 0.14, 0.25]) {
    const point = add(at, scale(normal, reach * size));
    const { distance } = nearest(scene.parts, point);
    const free = scene.ground ? Math.min(distance, Math.max(point[1], 0)) : distance;
    hidden += Math.max(reach * size - free, 0) / (reach * size) / 4;
  }
  return 1 - 0.85 * hidden;
}

function gradient(shape: Shape, [x, y, z]: Vec3, h: number): Vec3 {
  return normalize([
    shape(x + h, y, z) - shape(x - h, y, z),
    shape(x, y + h, z) - shape(x, y - h, z),
    shape(x, y, z + h) - shape(x, y, z - h),
  ]);
}
