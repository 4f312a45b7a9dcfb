import { sky } from "./scene/backgrounds.ts";
import { type Part, posed, type Scene } from "./scene/camera.ts";
import {
  blend,
  bothSides,
  ellipsoid,
  limb,
  moved,
  rolled,
  type Shape,
  slab,
  tipped,
  turned,
  union,
  without,
} from "./scene/shapes.ts";
import { type Light, normalize, rgb } from "./scene/vectors.ts";

/** An airliner in the sky, seen from below its left side. */
export const airplane: Scene = {
  width: 480,
  height: 360,
  eye: [0.2, -2.1, 5.6],
  target: [0, 0, 0],
  zoom: 2.85,
  sun: normalize([0.3, 0.6, 0.75]),
  sunlight: [0.95, 0.93, 0.88],
  skylight: [0.4, 0.48, 0.58],
  sky: sky({ horizon: rgb(176, 208, 236), zenith: rgb(70, 130, 205), cover: 0.3 }),
  parts: posed(airframe(), (field) => rolled(turned(tipped(field, 6), -30), 9)),
  bounds: { centre: [0, 0, 0], radius: 2.2 },
};

/** The nose is at +x, the wings along z. */
function airframe(): Part[] {
  const grey = rgb(196, 202, 210), blue = rgb(28, 62, 130);
  return [
    { shape: fuselage(), colour: livery, gloss: 0.5 },
    { shape: bothSides(wing()), colour: grey, gloss: 0.3 },
    { shape: bothSides(tailplane()), colour: grey, gloss: 0.3 },
    {
      shape: slab([[-1.2, 0.1], [-1.68, 0.72], [-1.46, 0.72], [-0.82, 0.1]], 0.025, 0.02),
      colour: blue,
    },
    { shape: bothSides(engine()), colour: rgb(222, 224, 228), gloss: 0.5 },
  ];
}

function fuselage(): Shape {
  return blend(
    0.12,
    limb([-0.7, 0, 0], [1.2, 0, 0], 0.19),
    limb([-0.7, 0, 0], [-1.6, 0.12, 0], 0.19, 0.05),
    ellipsoid([1.28, -0.02, 0], [0.42, 0.17, 0.17]),
  );
}

function livery(x: number, y: number, z: number): Light {
  const pane = x / 0.07 - Math.floor(x / 0.07);
  const windows = y > 0.035 && y < 0.075 && x > -1 && x < 1.2 && pane > 0.3 && pane < 0.75;
  const cockpit = x > 1.46 && x < 1.57 && y > 0.03 && Math.abs(z) > 0.01;
  if (windows || cockpit) return rgb(40, 48, 60);
  if (y < -0.01 && y > -0.05) return rgb(28, 62, 130);
  return y < -0.05 ? rgb(178, 184, 194) : rgb(242, 243, 245);
}

/** A slab on edge would lie in x and y; tipped over, y becomes z. */
function wing(): Shape {
  const outline = [[0.55, 0], [-0.62, 1.95], [-0.84, 1.97], [-0.42, 0.62], [-0.4, 0]] as const;
  return moved(tipped(slab(outline, 0.026, 0.02), 84), [0, -0.09, 0]);
}

function tailplane(): Shape {
  const outline = [[-1.12, 0], [-1.62, 0.72], [-1.76, 0.72], [-1.52, 0]] as const;
  return moved(tipped(slab(outline, 0.018, 0.015), 85), [0, 0.08, 0]);
}

function engine(): Shape {
  const pod = limb([0.34, -0.22, 0.66], [-0.1, -0.21, 0.66], 0.105, 0.075);
  const intake = limb([0.42, -0.22, 0.66], [0.5, -0.22, 0.66], 0.085);
  const pylon = limb([0.1, -0.15, 0.66], [-0.1, -0.05, 0.66], 0.03);
  return union(without(pod, intake), pylon);
}
