import { lineChart } from "./line_chart.ts";
import type { Position } from "./position.ts";
import type { Point } from "./thin_points.ts";
import { tickText } from "./tick_text.ts";

/** What a {@linkcode smallChart} shows. */
export interface SmallChart {
  readonly title: string;
  /** The name of the axis of x. */
  readonly x: string;
  readonly position: Position;
  readonly points: readonly Point[];
}

/** A small chart of one figure, whose axis begins at 0; empty without points. */
export function smallChart({ title, x, position, points }: SmallChart): string {
  return lineChart({
    title,
    x,
    y: title.toLowerCase(),
    position,
    curves: [{ name: title, className: "training", points }],
    format: (value) => String(Number(value.toPrecision(4))),
    formatTick: tickText,
    include: [0],
    isSmall: true,
  });
}
