import { blurredLeaves, meadow } from "./scene/backgrounds.ts";
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
import { type Light, mix, normalize, rgb, smoothstep } from "./scene/vectors.ts";

/** A green frog on brown earth, close up. */
export const frog: Scene = {
  width: 420,
  height: 420,
  eye: [0.6, 2.4, 5],
  target: [0.12, 0.36, 0],
  zoom: 4.3,
  sun: normalize([0.2, 0.9, 0.45]),
  sunlight: [0.85, 0.82, 0.74],
  skylight: [0.42, 0.44, 0.42],
  sky: blurredLeaves(rgb(62, 66, 42), rgb(104, 104, 66)),
  ground: meadow(rgb(58, 48, 36), rgb(112, 96, 70), 0.22, 14),
  parts: posed(animal(), (field) => turned(field, -8)),
  bounds: { centre: [0, 0.5, 0], radius: 1.6 },
};

/** Looks to +x. */
function animal(): Part[] {
  const eye: Shape = ball([0.72, 0.98, 0.25], 0.13);
  const relief: Shape = (x, y, z) => 0.012 * cloudNoise(14 * x, 14 * y, 14 * z, 2);
  return [
    { shape: blend(0.14, trunk(), bothSides(legs())), colour: skin, relief, gloss: 0.35 },
    { shape: bothSides(eye), colour: iris, gloss: 0.8 },
  ];
}

function trunk(): Shape {
  return blend(
    0.25,
    moved(rolled(ellipsoid([0, 0, 0], [0.78, 0.36, 0.5]), 20), [-0.05, 0.46, 0]),
    moved(rolled(ellipsoid([0, 0, 0], [0.44, 0.24, 0.42]), 4), [0.66, 0.72, 0]),
    bothSides(ball([0.66, 0.9, 0.25], 0.13)),
  );
}

function legs(): Shape {
  const hind = union(
    limb([-0.55, 0.3, 0.38], [0.12, 0.42, 0.68], 0.22, 0.14),
    limb([0.12, 0.4, 0.7], [-0.55, 0.13, 0.82], 0.13, 0.08),
    limb([-0.55, 0.08, 0.84], [0.1, 0.05, 0.98], 0.07, 0.04),
  );
  const fore = union(
    limb([0.48, 0.5, 0.36], [0.5, 0.25, 0.6], 0.13, 0.09),
    limb([0.5, 0.25, 0.6], [0.72, 0.07, 0.56], 0.085, 0.05),
  );
  const toes = [-0.16, 0, 0.16].map((z) =>
    union(
      limb([0.72, 0.05, 0.56], [0.95, 0.03, 0.56 + z], 0.035, 0.03),
      limb([0.1, 0.05, 0.98], [0.38, 0.03, 0.98 + 1.2 * z], 0.035, 0.028),
    )
  );
  return union(hind, fore, ...toes);
}

function skin(x: number, y: number, z: number): Light {
  const spots = smoothstep(0.6, 0.66, cloudNoise(5 * x + 4, 5 * y, 5 * z, 2));
  const back = mix(rgb(102, 134, 58), rgb(48, 60, 30), 0.8 * spots);
  const mouth = Math.abs(y - 0.66 - 0.05 * (x - 0.66)) < 0.012 && x > 0.55;
  // Pale only underneath: the legs, out to the sides, are as green as the back.
  const above = y - 0.25 * x + 0.9 * Math.max(Math.abs(z) - 0.35, 0);
  const belly = mix(rgb(196, 196, 138), back, smoothstep(0.1, 0.36, above));
  return mouth ? rgb(40, 48, 26) : belly;
}

function iris(x: number, y: number, z: number): Light {
  const fromPupil = Math.hypot(x - 0.78, y - 0.99, Math.abs(z) - 0.37);
  return fromPupil < 0.07 ? rgb(10, 10, 10) : rgb(196, 150, 50);
}
