import { sea, sky } from "./scene/backgrounds.ts";
import { type Part, posed, type Scene } from "./scene/camera.ts";
import { hash, noise } from "./scene/noise.ts";
import { bothSides, box, common, limb, type Shape, slab, turned, union } from "./scene/shapes.ts";
import { type Light, normalize, rgb, scale } from "./scene/vectors.ts";

/** The ship lies along x, its bow at +x; turned towards the viewer. */
const HEADING = -18;

/** A cargo ship at sea. */
export const ship: Scene = {
  width: 480,
  height: 360,
  eye: [0, 0.42, 5],
  target: [0, 0.3, 0],
  zoom: 2.75,
  sun: normalize([-0.3, 0.7, 0.8]),
  sunlight: [0.95, 0.9, 0.8],
  skylight: [0.42, 0.48, 0.56],
  sky: sky({ horizon: rgb(206, 220, 232), zenith: rgb(92, 145, 205), cover: 0.35 }),
  ground: sea(rgb(28, 62, 92), 0.16, 60),
  parts: posed([hull(), ...house(), ...deckCargo(), ...masts()], (field) => turned(field, HEADING)),
  bounds: { centre: [0, 0.4, 0], radius: 1.95 },
};

function hull(): Part {
  const profile = slab([
    [-1.55, 0.34],
    [-1.5, -0.2],
    [1.42, -0.2],
    [1.68, 0.46],
    [1.2, 0.37],
    [0.9, 0.3],
    [-1.1, 0.3],
    [-1.15, 0.34],
  ], 1);
  // From above a ship is as wide as it gets for most of its length, and pointed at the bow.
  const beam: Shape = (x, y, z) => {
    const bow = Math.max((x - 0.7 - 0.4 * y) / 0.85, 0);
    return 0.75 * (Math.abs(z) - 0.27 * Math.sqrt(Math.max(1 - bow * bow, 0)));
  };
  return { shape: common(profile, beam), colour: hullPaint, gloss: 0.25 };
}

function hullPaint(x: number, y: number, z: number): Light {
  const rust = 0.85 + 0.3 * noise(14 * x, 3 * y, 4 * z);
  return scale(y < 0.07 ? rgb(140, 40, 34) : rgb(34, 50, 78), rust);
}

/** The white deck house at the stern, with its rows of windows, bridge and funnel. */
function house(): Part[] {
  const white = (x: number, y: number): Light => {
    const row = (y - 0.36) / 0.1 % 1, column = x / 0.07 - Math.floor(x / 0.07);
    const window = row > 0.4 && row < 0.75 && column > 0.25 && column < 0.75;
    return window ? rgb(60, 70, 84) : rgb(238, 238, 232);
  };
  return [
    { shape: box([-1.2, 0.48, 0], [0.24, 0.2, 0.23], 0.015), colour: white, gloss: 0.1 },
    { shape: box([-1.16, 0.76, 0], [0.17, 0.1, 0.2], 0.012), colour: white, gloss: 0.1 },
    { shape: box([-1.13, 0.84, 0], [0.13, 0.03, 0.27], 0.01), colour: white, gloss: 0.1 },
    { shape: box([-1.4, 0.8, 0], [0.07, 0.16, 0.09], 0.03), colour: rgb(190, 62, 40) },
    { shape: box([-1.4, 0.96, 0], [0.075, 0.03, 0.095], 0.02), colour: rgb(28, 28, 30) },
  ];
}

function deckCargo(): Part[] {
  const paints = [rgb(168, 66, 44), rgb(52, 92, 136), rgb(150, 146, 138), rgb(60, 112, 84)];
  const stack: Shape = (x, y, z) => {
    const column = Math.min(Math.max(Math.round((x - 0.05) / 0.37), -2), 2);
    return box([0.05 + 0.37 * column, 0.41, 0], [0.175, 0.13, 0.24], 0.008)(x, y, z);
  };
  const colour = (x: number, y: number, z: number): Light => {
    const column = Math.round((x - 0.05) / 0.37), row = Math.floor((y - 0.28) / 0.13);
    const paint = paints[Math.floor(4 * hash(column, row, Math.floor(z / 0.16)))]!;
    const ribs = 0.85 + 0.15 * Math.sin(260 * x);
    return scale(paint, (y - 0.28) % 0.13 < 0.012 ? 0.4 : ribs);
  };
  return [{ shape: stack, colour }];
}

function masts(): Part[] {
  const buff = rgb(214, 190, 140);
  const crane = (x: number) =>
    union(
      limb([x, 0.3, 0], [x, 0.95, 0], 0.025, 0.016),
      limb([x, 0.5, 0], [x + 0.3, 0.85, 0.1], 0.012),
      limb([x, 0.92, 0], [x + 0.3, 0.85, 0.1], 0.005),
    );
  const foremast = limb([1.3, 0.35, 0], [1.3, 0.85, 0], 0.018, 0.01);
  const radar = union(
    limb([-1.13, 0.85, 0], [-1.13, 1.14, 0], 0.014, 0.009),
    limb([-1.13, 1.05, 0], [-1.13, 1.05, 0.12], 0.008),
  );
  return [
    { shape: union(crane(-0.51), crane(0.235), foremast, bothSides(radar)), colour: buff },
  ];
}
