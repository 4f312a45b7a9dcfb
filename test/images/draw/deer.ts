import { meadow, sky, treeLine } from "./scene/backgrounds.ts";
import { type Part, posed, type Scene } from "./scene/camera.ts";
import { hoofed } from "./hoofed.ts";
import { bothSides, limb, turned, union } from "./scene/shapes.ts";
import { normalize, rgb } from "./scene/vectors.ts";

/** A stag on a clearing in front of a wood. */
export const deer: Scene = {
  width: 400,
  height: 440,
  eye: [0, 1.4, 9],
  target: [0.15, 1.15, 0],
  zoom: 5.4,
  sun: normalize([0.4, 0.8, 0.6]),
  sunlight: [0.85, 0.8, 0.68],
  skylight: [0.4, 0.43, 0.4],
  sky: treeLine(
    sky({ horizon: rgb(200, 210, 206), zenith: rgb(150, 180, 205), cover: 0.3 }),
    rgb(66, 84, 46),
    0.6,
  ),
  ground: meadow(rgb(84, 100, 44), rgb(142, 146, 78), 0.16, 60),
  parts: posed(animal(), (field) => turned(field, -25)),
  bounds: { centre: [0.1, 1.15, 0], radius: 1.9 },
};

function animal(): Part[] {
  const body = hoofed({
    girth: 0.26,
    back: 1.25,
    legs: 0.7,
    poll: [0.95, 1.68, 0],
    muzzle: [1.25, 1.5, 0],
    neck: 0.125,
    ears: 0.14,
    coat: rgb(150, 104, 62),
    belly: rgb(196, 168, 130),
    feet: rgb(112, 80, 54),
  });
  const antler = union(
    limb([0.93, 1.78, 0.06], [0.76, 2.05, 0.24], 0.032, 0.026),
    limb([0.76, 2.05, 0.24], [0.9, 2.4, 0.34], 0.026, 0.014),
    limb([0.9, 1.84, 0.1], [1.12, 1.98, 0.16], 0.022, 0.01),
    limb([0.76, 2.05, 0.24], [1.02, 2.16, 0.28], 0.022, 0.01),
    limb([0.82, 2.2, 0.29], [0.68, 2.38, 0.32], 0.02, 0.01),
  );
  const scut = limb([-0.86, 1.1, 0], [-0.94, 0.92, 0], 0.07, 0.04);
  return [
    ...body,
    { shape: bothSides(antler), colour: rgb(122, 96, 66) },
    { shape: scut, colour: rgb(214, 200, 176) },
  ];
}
