import { road, sky, treeLine } from "./scene/backgrounds.ts";
import { type Part, posed, type Scene } from "./scene/camera.ts";
import {
  bothSides,
  box,
  drum,
  limb,
  type Shape,
  slab,
  turned,
  union,
  without,
} from "./scene/shapes.ts";
import { type Light, normalize, rgb } from "./scene/vectors.ts";
import { wheels } from "./wheels.ts";

/** A lorry with a white box body on a road, seen from its front left corner. */
export const truck: Scene = {
  width: 480,
  height: 360,
  eye: [1.5, 1.9, 11],
  target: [0, 1.12, 0],
  zoom: 3.6,
  sun: normalize([0.45, 0.7, 0.6]),
  sunlight: [0.95, 0.9, 0.82],
  skylight: [0.42, 0.46, 0.52],
  sky: treeLine(
    sky({ horizon: rgb(210, 222, 232), zenith: rgb(120, 165, 215), cover: 0.35 }),
    rgb(74, 92, 62),
    0.1,
  ),
  ground: road({ asphalt: rgb(126, 126, 128), verge: rgb(108, 116, 78), far: -4, sight: 120 }),
  parts: posed(lorry(), (field) => turned(field, -34)),
  bounds: { centre: [0, 1.2, 0], radius: 3.2 },
};

/** The front is at +x, the left side at +z. */
function lorry(): Part[] {
  const dark = rgb(34, 35, 38);
  return [
    { shape: cab(), colour: cabPaint, gloss: 0.6 },
    { shape: box([-0.75, 1.5, 0], [1.75, 0.98, 0.95], 0.03), colour: boxPaint, gloss: 0.15 },
    { shape: box([-0.3, 0.48, 0], [2.2, 0.1, 0.6], 0.02), colour: dark },
    { shape: bothSides(box([-0.2, 0.42, 0.78], [0.7, 0.14, 0.06], 0.02)), colour: dark },
    { shape: box([2.2, 0.42, 0], [0.14, 0.14, 0.9], 0.04), colour: rgb(206, 208, 210), gloss: 0.4 },
    { shape: box([2.27, 0.86, 0], [0.03, 0.16, 0.5], 0.02), colour: dark, gloss: 0.4 },
    {
      shape: bothSides(box([2.27, 0.66, 0.66], [0.04, 0.08, 0.14], 0.03)),
      colour: rgb(240, 242, 244),
      gloss: 0.8,
    },
    { shape: bothSides(mirror()), colour: dark },
    ...wheels({ at: [-1.6, 1.5], radius: 0.44, track: 0.76, width: 0.16 }),
  ];
}

function cab(): Shape {
  const profile = slab(
    [[1.05, 0.4], [2.28, 0.4], [2.28, 1.1], [2.0, 1.95], [1.05, 2.0]],
    0.92,
    0.07,
  );
  return without(profile, bothSides(drum([1.5, 0.46, 0.9], 0.54, 0.35)));
}

function cabPaint(x: number, y: number, z: number): Light {
  const glass = rgb(26, 32, 40);
  const screen = y > 1.18 && y < 1.84 && x > 2.27 - 0.34 * (y - 1.1) - 0.03 && Math.abs(z) < 0.84;
  const side = y > 1.15 && y < 1.75 && x > 1.3 && x < 2.16 - 0.34 * (y - 1.1) && Math.abs(z) > 0.86;
  if (screen || side) return glass;
  return Math.abs(x - 1.22) < 0.012 ? rgb(20, 40, 80) : rgb(30, 78, 160);
}

function boxPaint(_x: number, y: number): Light {
  return y > 0.62 && y < 0.72 ? rgb(150, 152, 156) : rgb(232, 232, 228);
}

function mirror(): Shape {
  return union(
    box([2.12, 1.5, 1.08], [0.04, 0.2, 0.07], 0.03),
    limb([2.05, 1.68, 0.9], [2.12, 1.66, 1.08], 0.02),
  );
}
