import type { Part } from "./scene/camera.ts";
import { cloudNoise } from "./scene/noise.ts";
import { ball, blend, bothSides, limb, type Shape, union } from "./scene/shapes.ts";
import { type Light, mix, rgb, scale, smoothstep, type Vec3 } from "./scene/vectors.ts";

/** How a hoofed animal is built, in metres: it stands along x and looks to +x. */
export interface Build {
  /** The radius of the trunk. */
  readonly girth: number;
  readonly back: number;
  /** How thick the legs are, 1 for a horse. */
  readonly legs: number;
  readonly poll: Vec3;
  readonly muzzle: Vec3;
  readonly neck: number;
  readonly ears: number;
  readonly coat: Light;
  readonly belly: Light;
  readonly feet: Light;
}

/** Trunk, legs, neck, head and ears. */
export function hoofed(build: Build): Part[] {
  const { girth, back, coat, belly, feet } = build;
  const fur = (x: number, y: number, z: number): Light => {
    const tone = 0.8 + 0.4 * cloudNoise(5 * x, 5 * y, 5 * z, 4);
    const below = smoothstep(back - 2.1 * girth, back - 1.3 * girth, y);
    const leg = mix(feet, coat, smoothstep(0.25, 0.7, y));
    return scale(mix(mix(leg, belly, smoothstep(0.6, 0.8, y)), coat, below), tone);
  };
  const [px, py, pz] = build.poll;
  const eye = ball([px + 0.1, py - 0.04, pz + 0.1], 0.032);
  return [
    { shape: blend(0.12, trunk(build), legs(build), head(build)), colour: fur, gloss: 0.08 },
    { shape: union(eye, nostril(build)), colour: rgb(12, 10, 10), gloss: 0.6 },
  ];
}

function trunk({ girth, back, poll, neck }: Build): Shape {
  const axis = back - girth;
  return blend(
    0.2,
    limb([-0.5, axis, 0], [0.45, axis - 0.02, 0], 0.94 * girth, girth),
    ball([-0.62, axis + 0.02, 0], 1.02 * girth),
    ball([0.58, axis, 0], 0.96 * girth),
    limb([0.66, axis + 0.1, 0], poll, 1.5 * neck, 0.8 * neck),
  );
}

function legs({ girth, back, legs: thick }: Build): Shape {
  const hip = back - 1.2 * girth, knee = 0.42 * back;
  const fore = (x: number, z: number, step: number) =>
    union(
      limb([x, hip, z], [x + step, knee, z], 0.13 * thick, 0.07 * thick),
      limb([x + step, knee, z], [x + 0.6 * step, 0.1, z], 0.065 * thick, 0.048 * thick),
      limb([x + 0.6 * step, 0.1, z], [x + 0.6 * step + 0.04, 0.03, z], 0.05 * thick, 0.075 * thick),
    );
  const hind = (x: number, z: number, step: number) =>
    union(
      limb([x + 0.05, hip, z], [x - 0.1 + step, knee + 0.05, z], 0.2 * thick, 0.085 * thick),
      limb([x - 0.1 + step, knee + 0.05, z], [x + step, 0.1, z], 0.075 * thick, 0.05 * thick),
      limb([x + step, 0.1, z], [x + step + 0.04, 0.03, z], 0.05 * thick, 0.075 * thick),
    );
  const z = 0.55 * girth;
  return union(fore(0.62, z, 0.1), fore(0.6, -z, -0.1), hind(-0.74, z, -0.12), hind(-0.7, -z, 0.1));
}

function head({ poll, muzzle, neck, ears }: Build): Shape {
  const [px, py] = poll;
  return union(
    limb(poll, muzzle, 0.85 * neck, 0.5 * neck),
    bothSides(
      limb(
        [px - 0.02, py + 0.08, 0.07],
        [px - 0.03, py + 0.1 + ears, 0.1 + 0.4 * ears],
        0.05,
        0.015,
      ),
    ),
  );
}

function nostril({ muzzle, neck }: Build): Shape {
  const [mx, my] = muzzle;
  return ball([mx + 0.3 * neck, my, 0.4 * neck], 0.022);
}
