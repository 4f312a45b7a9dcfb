import { road, sky, treeLine } from "./scene/backgrounds.ts";
import { type Part, posed, type Scene } from "./scene/camera.ts";
import {
  bothSides,
  box,
  common,
  drum,
  ellipsoid,
  type Shape,
  slab,
  turned,
  union,
  without,
} from "./scene/shapes.ts";
import { type Light, normalize, rgb } from "./scene/vectors.ts";
import { wheels } from "./wheels.ts";

/** A red saloon car on a road, seen from its front left corner. */
export const automobile: Scene = {
  width: 480,
  height: 360,
  eye: [1.2, 1.7, 9],
  target: [0.05, 0.62, 0],
  zoom: 3.6,
  sun: normalize([0.25, 0.8, 0.55]),
  sunlight: [0.95, 0.9, 0.82],
  skylight: [0.45, 0.48, 0.54],
  sky: treeLine(
    sky({ horizon: rgb(214, 224, 232), zenith: rgb(130, 170, 215), cover: 0.3 }),
    rgb(74, 94, 62),
    0.07,
  ),
  ground: road({ asphalt: rgb(128, 128, 130), verge: rgb(104, 118, 76), far: -4, sight: 120 }),
  parts: posed(car(), (field) => turned(field, -30)),
  bounds: { centre: [0, 0.7, 0], radius: 2.5 },
};

/** The front is at +x, the left side at +z. */
function car(): Part[] {
  const half = bothSides(arches());
  return [
    { shape: without(body(), half), colour: paint, gloss: 0.8 },
    { shape: cabin(), colour: glazing, gloss: 0.9 },
    {
      shape: bothSides(box([2.06, 0.68, 0.56], [0.1, 0.09, 0.2], 0.06)),
      colour: rgb(236, 240, 244),
      gloss: 0.9,
    },
    {
      shape: bothSides(ellipsoid([0.72, 0.98, 0.95], [0.08, 0.07, 0.1])),
      colour: rgb(150, 20, 22),
    },
    { shape: box([2.12, 0.42, 0], [0.06, 0.1, 0.5], 0.03), colour: rgb(24, 24, 26), gloss: 0.2 },
    { shape: box([2.16, 0.5, 0], [0.03, 0.06, 0.25], 0.01), colour: rgb(230, 230, 224) },
    ...wheels({ at: [-1.33, 1.36], radius: 0.35, track: 0.74, width: 0.13 }),
  ];
}

function body(): Shape {
  const profile = slab(
    [
      [-2.1, 0.3],
      [2.08, 0.24],
      [2.2, 0.44],
      [2.12, 0.74],
      [1.9, 0.84],
      [0.85, 0.97],
      [-1.3, 1.0],
      [-2.08, 0.97],
      [-2.2, 0.62],
    ],
    0.88,
    0.1,
  );
  // Seen from above, nose and tail are drawn in.
  const plan: Shape = (x, _y, z) => 0.8 * (Math.abs(z) - 0.88 + 0.012 * x ** 4);
  return common(profile, plan);
}

/** Windows and roof, leaning in towards the top. */
function cabin(): Shape {
  const profile = slab([[0.98, 0.9], [0.28, 1.4], [-0.75, 1.42], [-1.65, 0.92]], 1, 0.08);
  const lean: Shape = (_x, y, z) => 0.9 * (Math.abs(z) - 0.8 + 0.34 * (y - 0.95));
  return common(profile, lean);
}

function arches(): Shape {
  return union(drum([-1.33, 0.36, 0.9], 0.42, 0.3), drum([1.36, 0.36, 0.9], 0.42, 0.3));
}

function paint(x: number, y: number): Light {
  const doors = Math.min(Math.abs(x - 0.62), Math.abs(x + 0.3), Math.abs(x + 1.1)) < 0.012;
  if (doors && y > 0.35 && y < 0.95) return rgb(60, 8, 10);
  if (y < 0.3) return rgb(36, 36, 38);
  return rgb(178, 22, 24);
}

function glazing(x: number, y: number, z: number): Light {
  const red = rgb(178, 22, 24), glass = rgb(24, 28, 34);
  if (y > 1.36) return red;
  const side = Math.abs(z) > 0.8 - 0.34 * (y - 0.95) - 0.06;
  const pillars = Math.abs(x + 0.3) < 0.045 || 1.4 * x + 2 * (y - 0.9) > 1.28 ||
    1.1 * x - 2 * (y - 0.9) < -1.7;
  return side && pillars ? red : glass;
}
