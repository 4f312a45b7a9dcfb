import { blurredLeaves } from "./scene/backgrounds.ts";
import type { Part, Scene } from "./scene/camera.ts";
import { cloudNoise, noise } from "./scene/noise.ts";
import {
  ball,
  blend,
  bothSides,
  ellipsoid,
  limb,
  moved,
  rolled,
  type Shape,
  slab,
  union,
} from "./scene/shapes.ts";
import { type Light, mix, normalize, rgb, scale, smoothstep } from "./scene/vectors.ts";

/** A small brown bird with a red breast, on a branch in front of leaves. */
export const bird: Scene = {
  width: 360,
  height: 420,
  eye: [0.6, 0.3, 6],
  target: [0, 0.05, 0],
  zoom: 4.3,
  sun: normalize([0.5, 0.75, 0.6]),
  sunlight: [0.9, 0.86, 0.76],
  skylight: [0.44, 0.47, 0.44],
  sky: blurredLeaves(rgb(92, 118, 70), rgb(156, 178, 116)),
  parts: animal(),
  bounds: { centre: [0, 0, 0], radius: 2.2 },
};

/** Looks to +x. */
function animal(): Part[] {
  const down: Shape = (x, y, z) => 0.02 * cloudNoise(12 * x, 26 * y, 12 * z, 3);
  const horn = rgb(52, 46, 42);
  const claws = [-0.1, 0, 0.1].map((x) => limb([0.1, -0.78, 0.16], [0.16 + x, -0.86, 0.3], 0.028));
  const legs = union(limb([0, -0.45, 0.14], [0.1, -0.78, 0.16], 0.035, 0.028), ...claws);
  return [
    { shape: trunk(), colour: feathers, relief: down },
    { shape: bothSides(wing()), colour: wingFeathers, relief: down },
    { shape: tail(), colour: wingFeathers },
    { shape: limb([0.86, 0.66, 0], [1.1, 0.62, 0], 0.075, 0.012), colour: horn, gloss: 0.2 },
    { shape: bothSides(ball([0.73, 0.74, 0.23], 0.055)), colour: rgb(8, 8, 8), gloss: 1 },
    { shape: bothSides(legs), colour: rgb(110, 84, 66) },
    { shape: limb([-3, -1.05, 0], [3, -0.92, 0.05], 0.15, 0.12), colour: bark, relief: barkRelief },
  ];
}

function trunk(): Shape {
  return blend(
    0.3,
    moved(rolled(ellipsoid([0, 0, 0], [0.72, 0.5, 0.46]), 28), [0, -0.05, 0]),
    ball([0.6, 0.66, 0], 0.31),
    limb([-0.4, -0.2, 0], [-0.85, -0.42, 0], 0.28, 0.1),
  );
}

function wing(): Shape {
  return moved(rolled(ellipsoid([0, 0, 0], [0.72, 0.27, 0.1]), 30), [-0.28, -0.02, 0.4]);
}

function tail(): Shape {
  return slab([[-0.7, -0.26], [-1.5, -0.78], [-1.42, -0.92], [-0.66, -0.46]], 0.12, 0.05);
}

function feathers(x: number, y: number, z: number): Light {
  const tone = 0.8 + 0.4 * cloudNoise(10 * x, 24 * y, 10 * z, 3);
  const breast = smoothstep(-0.12, 0.12, x - 0.42 - 0.3 * (0.5 - y) * (y > 0.1 ? 0 : 1));
  const back = mix(rgb(222, 214, 198), rgb(118, 96, 70), smoothstep(-0.25, 0.1, y - 0.5 * x + 0.1));
  const red = y > -0.15 && y < 0.86 ? breast : 0;
  return scale(mix(back, rgb(200, 92, 40), red), tone);
}

function wingFeathers(x: number, y: number): Light {
  const across = y - 0.6 * x;
  const rows = 0.65 + 0.45 * Math.abs(Math.sin(24 * across));
  return scale(rgb(104, 84, 62), rows);
}

function bark(x: number, y: number, z: number): Light {
  return scale(rgb(120, 100, 80), 0.5 + cloudNoise(4 * x, 16 * y, 16 * z, 4));
}

function barkRelief(x: number, y: number, z: number): number {
  return 0.05 * noise(5 * x, 18 * y, 18 * z);
}
