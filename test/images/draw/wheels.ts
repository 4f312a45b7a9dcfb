import type { Part } from "./scene/camera.ts";
import { bothSides, drum, without } from "./scene/shapes.ts";
import { rgb } from "./scene/vectors.ts";

/** Pairs of wheels that stand on the ground: at each x, `track` to either side. */
export function wheels(
  { at, radius, track, width }: {
    readonly at: readonly number[];
    readonly radius: number;
    readonly track: number;
    readonly width: number;
  },
): Part[] {
  return at.flatMap((x) => {
    const tyre = without(
      drum([x, radius, track], radius, width, 0.15 * radius),
      drum([x, radius, track + width], 0.62 * radius, 0.25 * width),
    );
    const rim = drum([x, radius, track], 0.6 * radius, 0.9 * width, 0.02);
    const spokes = (px: number, py: number) => {
      const turn = Math.atan2(py - radius, px - x) * 5 / (2 * Math.PI);
      const gap = Math.hypot(px - x, py - radius) > 0.2 * radius && turn - Math.floor(turn) < 0.5;
      return gap ? rgb(48, 50, 54) : rgb(190, 192, 196);
    };
    return [
      { shape: bothSides(tyre), colour: rgb(26, 26, 28) },
      { shape: bothSides(rim), colour: spokes, gloss: 0.3 },
    ];
  });
}
