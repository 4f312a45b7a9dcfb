import type { Ground } from "./camera.ts";
import { cloudNoise, noise } from "./noise.ts";
import { type Light, mix, rgb, scale, smoothstep, type Vec3 } from "./vectors.ts";

/** The light that comes from each direction, past all the parts and the ground. */
export type Sky = (direction: Vec3) => Light;

/** A sky that goes from `horizon` to `zenith`, with clouds over `cover` of it (0 to 1). */
export function sky({ horizon, zenith, cover }: {
  readonly horizon: Light;
  readonly zenith: Light;
  readonly cover: number;
}): Sky {
  const white = rgb(244, 246, 250);
  return ([x, y, z]) => {
    const clear = mix(horizon, zenith, smoothstep(-0.05, 0.6, y));
    if (cover === 0) return clear;
    const depth = 1 / (Math.abs(y) + 0.25);
    const cloud = cloudNoise(2 * x * depth + 3, 2 * z * depth, 4 * y, 5);
    return mix(clear, white, 0.9 * smoothstep(0.95 - 0.75 * cover, 1.15 - 0.75 * cover, cloud));
  };
}

/** The sky behind a wood: tree tops up to about `height` (as a slope) in front of it. */
export function treeLine(behind: Sky, leaves: Light, height: number): Sky {
  return (direction) => {
    const [x, y, z] = direction;
    const across = 6 * Math.atan2(x, -z);
    const top = height * (0.6 + 0.8 * cloudNoise(across, 0.5, 0, 4));
    const shade = 0.35 + 1.1 * cloudNoise(3 * across, 18 * y, 2, 4);
    return mix(scale(leaves, shade), behind(direction), smoothstep(top - 0.02, top + 0.02, y));
  };
}

/** Leaves far out of focus: soft patches between the two colours. */
export function blurredLeaves(dark: Light, bright: Light): Sky {
  return ([x, y, z]) => mix(dark, bright, smoothstep(0.25, 0.8, noise(5 * x + 2, 5 * y, 5 * z)));
}

/** The sea, its waves about `wave` long. */
export function sea(colour: Light, wave: number, sight: number): Ground {
  return {
    colour: () => colour,
    relief: (x, z) =>
      0.3 * wave * cloudNoise(x / wave, 2 * z / wave, 0, 4) +
      0.03 * wave * noise(9 * x / wave, 14 * z / wave),
    gloss: 0.85,
    sight,
  };
}

/** A road of asphalt along x, its far edge at z = `far`, with a verge beyond. */
export function road(
  { asphalt, verge, far, sight }: {
    readonly asphalt: Light;
    readonly verge: Light;
    readonly far: number;
    readonly sight: number;
  },
): Ground {
  return {
    colour: (x, z) => {
      const stains = 0.8 + 0.4 * cloudNoise(1.5 * x, 1.5 * z, 0, 5);
      const ragged = far + 0.15 * noise(4 * x, 0);
      return scale(mix(verge, asphalt, smoothstep(ragged - 0.05, ragged + 0.05, z)), stains);
    },
    relief: (x, z) => 0.006 * noise(30 * x, 30 * z),
    gloss: 0.08,
    sight,
  };
}

/** Grass, or any ground of two colours mixed in tufts about `tuft` wide. */
export function meadow(dark: Light, bright: Light, tuft: number, sight: number): Ground {
  return {
    colour: (x, z) => {
      const patches = cloudNoise(0.3 * x / tuft, 0.3 * z / tuft, 4, 3);
      const blades = cloudNoise(2 * x / tuft, z / tuft, 0, 4);
      return mix(dark, bright, smoothstep(0.25, 0.75, 0.4 * patches + 0.6 * blades));
    },
    relief: (x, z) => 0.35 * tuft * cloudNoise(2 * x / tuft, 2 * z / tuft, 7, 3),
    gloss: 0,
    sight,
  };
}
