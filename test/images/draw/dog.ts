import { meadow, sky, treeLine } from "./scene/backgrounds.ts";
import { type Part, posed, type Scene } from "./scene/camera.ts";
import { cloudNoise } from "./scene/noise.ts";
import {
  ball,
  blend,
  bothSides,
  ellipsoid,
  limb,
  moved,
  rolled,
  type Shape,
  turned,
  union,
} from "./scene/shapes.ts";
import { type Light, mix, normalize, rgb, scale, smoothstep } from "./scene/vectors.ts";

/** A brown and white dog with hanging ears that sits on a lawn. */
export const dog: Scene = {
  width: 400,
  height: 400,
  eye: [0.4, 1.6, 6],
  target: [0.06, 0.95, 0],
  zoom: 4.8,
  sun: normalize([0.5, 0.7, 0.75]),
  sunlight: [0.85, 0.8, 0.7],
  skylight: [0.44, 0.46, 0.46],
  sky: treeLine(
    sky({ horizon: rgb(210, 220, 226), zenith: rgb(150, 185, 215), cover: 0.3 }),
    rgb(80, 96, 62),
    0.5,
  ),
  ground: meadow(rgb(84, 104, 52), rgb(138, 152, 88), 0.12, 40),
  parts: posed(animal(), (field) => turned(field, -58)),
  bounds: { centre: [0, 0.95, 0], radius: 1.35 },
};

/** Looks to +x. */
function animal(): Part[] {
  const ruffle: Shape = (x, y, z) => 0.02 * cloudNoise(18 * x, 10 * y, 18 * z, 3);
  const ear = blend(
    0.08,
    limb([0.2, 1.68, 0.32], [0.24, 1.45, 0.46], 0.1, 0.14),
    limb([0.24, 1.45, 0.46], [0.28, 1.2, 0.46], 0.14, 0.09),
  );
  const black = rgb(16, 14, 14);
  return [
    { shape: blend(0.12, body(), head()), colour: coat, relief: ruffle },
    { shape: bothSides(ear), colour: rgb(92, 56, 32), relief: ruffle },
    { shape: bothSides(ball([0.56, 1.57, 0.17], 0.065)), colour: rgb(26, 18, 14), gloss: 1 },
    { shape: ellipsoid([0.97, 1.42, 0], [0.07, 0.07, 0.09]), colour: black, gloss: 0.5 },
    { shape: ellipsoid([0.84, 1.22, 0], [0.1, 0.03, 0.07]), colour: rgb(196, 96, 96), gloss: 0.3 },
  ];
}

/** Trunk up to the neck, legs and paws. */
function body(): Shape {
  const fore = union(
    limb([0.26, 0.85, 0.17], [0.32, 0.12, 0.19], 0.15, 0.1),
    ellipsoid([0.4, 0.07, 0.19], [0.17, 0.09, 0.12]),
  );
  const hind = union(
    moved(rolled(ellipsoid([0, 0, 0], [0.42, 0.32, 0.17]), 35), [-0.35, 0.34, 0.32]),
    ellipsoid([0.02, 0.07, 0.4], [0.26, 0.09, 0.12]),
  );
  return blend(
    0.15,
    moved(rolled(ellipsoid([0, 0, 0], [0.66, 0.38, 0.36]), 58), [-0.14, 0.66, 0]),
    ball([-0.42, 0.38, 0], 0.38),
    limb([0.1, 0.95, 0], [0.24, 1.32, 0], 0.32, 0.28),
    bothSides(fore),
    bothSides(hind),
  );
}

function head(): Shape {
  return blend(
    0.14,
    ellipsoid([0.26, 1.54, 0], [0.36, 0.34, 0.36]),
    limb([0.5, 1.42, 0], [0.86, 1.37, 0], 0.2, 0.14),
    limb([0.5, 1.3, 0], [0.8, 1.24, 0], 0.13, 0.08),
  );
}

function coat(x: number, y: number, z: number): Light {
  const tone = 0.75 + 0.5 * cloudNoise(12 * x, 7 * y, 12 * z, 3);
  const edge = 0.12 * cloudNoise(5 * x, 5 * y, 5 * z, 3);
  const blaze = smoothstep(0.12, 0.06, Math.abs(z) + edge - 0.06) * smoothstep(0.3, 0.45, x);
  const snout = smoothstep(0.62, 0.7, x + edge - 0.06) * smoothstep(1.0, 1.1, y);
  const chest = smoothstep(0.1, 0.2, x + edge - 0.06) * smoothstep(1.3, 1.15, y);
  const paws = smoothstep(0.24, 0.14, y + edge - 0.06);
  const white = Math.max(blaze, snout, chest, paws);
  return scale(mix(rgb(148, 94, 52), rgb(236, 230, 218), white), tone);
}
