/** How the points of a class look on the map. */
export interface Mark {
  readonly colour: string;
  readonly shape: "circle" | "square" | "triangle" | "diamond";
}

/** Told apart on light and on dark ground; the shapes tell them apart for those who see few colours. */
const COLOURS = [
  "#2f86d6",
  "#d98200",
  "#0b9a6d",
  "#d1495b",
  "#a06cd5",
  "#7d8a2e",
  "#c2629b",
  "#8a6d3b",
] as const;
const SHAPES = ["circle", "square", "triangle", "diamond"] as const;
/** Of photos that are in no class. */
const NO_CLASS: Mark = { colour: "#8a9499", shape: "circle" };

/**
 * The mark of a class by its place: 32 classes have different ones, of colour and shape.
 *
 * @param place -1 for photos of no class.
 */
export function markOf(place: number): Mark {
  if (place < 0) return NO_CLASS;
  const round = Math.floor(place / COLOURS.length);
  return {
    colour: COLOURS[place % COLOURS.length]!,
    shape: SHAPES[(place + round) % SHAPES.length]!,
  };
}

/** A path of a mark around the origin; `radius` is about that of a circle of the same area. */
export function markPath({ shape }: Mark, radius: number): string {
  const [r, s, d] = [radius, radius * 0.89, radius * 1.25];
  if (shape === "square") return `M${-s} ${-s}H${s}V${s}H${-s}Z`;
  if (shape === "diamond") return `M0 ${-d}L${d} 0 0 ${d} ${-d} 0Z`;
  if (shape === "triangle") return `M0 ${-d}L${d} ${d * 0.85}H${-d}Z`;
  return `M${-r} 0A${r} ${r} 0 1 0 ${r} 0 ${r} ${r} 0 1 0 ${-r} 0Z`;
}
