import { meadow, sky, treeLine } from "./scene/backgrounds.ts";
import { type Part, posed, type Scene } from "./scene/camera.ts";
import { hoofed } from "./hoofed.ts";
import { cloudNoise } from "./scene/noise.ts";
import { blend, limb, turned } from "./scene/shapes.ts";
import { normalize, rgb, scale } from "./scene/vectors.ts";

/** A brown horse on a meadow, from its right side. */
export const horse: Scene = {
  width: 480,
  height: 400,
  eye: [0, 1.5, 9],
  target: [0.12, 1.03, 0],
  zoom: 5.2,
  sun: normalize([0.4, 0.8, 0.6]),
  sunlight: [0.95, 0.9, 0.8],
  skylight: [0.42, 0.45, 0.48],
  sky: treeLine(
    sky({ horizon: rgb(206, 220, 232), zenith: rgb(120, 165, 215), cover: 0.3 }),
    rgb(70, 96, 52),
    0.09,
  ),
  ground: meadow(rgb(82, 108, 46), rgb(140, 160, 82), 0.18, 90),
  parts: posed(animal(), (field) => turned(field, -20)),
  bounds: { centre: [0.1, 1, 0], radius: 1.9 },
};

function animal(): Part[] {
  const hair = (x: number, y: number, z: number) =>
    scale(rgb(34, 24, 18), 0.6 + 0.8 * cloudNoise(14 * x, 5 * y, 14 * z, 3));
  const mane = blend(
    0.1,
    limb([0.5, 1.66, 0], [1.04, 2.06, 0], 0.07, 0.07),
    limb([0.6, 1.6, 0.16], [1.02, 1.95, 0.12], 0.1, 0.08),
    limb([1.14, 2.02, 0], [1.28, 1.94, 0], 0.07, 0.04),
  );
  const tail = blend(
    0.1,
    limb([-0.95, 1.35, 0], [-1.12, 1.1, 0], 0.07, 0.1),
    limb([-1.12, 1.1, 0], [-1.16, 0.55, 0], 0.1, 0.05),
  );
  const body = hoofed({
    girth: 0.33,
    back: 1.56,
    legs: 1,
    poll: [1.17, 1.96, 0],
    muzzle: [1.5, 1.58, 0],
    neck: 0.17,
    ears: 0.1,
    coat: rgb(128, 74, 42),
    belly: rgb(110, 64, 38),
    feet: rgb(40, 30, 26),
  });
  return [...body, { shape: mane, colour: hair }, { shape: tail, colour: hair }];
}
