import { escape } from "@std/html/entities";
import { niceTicks } from "./nice_ticks.ts";
import { BY_EPOCH, type Position } from "./position.ts";
import { type Point, thinPoints } from "./thin_points.ts";

/** A curve of a {@linkcode lineChart}. */
export interface Curve {
  /** The name in the legend. */
  readonly name: string;
  /** The class of its line, which the page's style gives a colour. */
  readonly className: string;
  /** In the order of x; y is not finite where there is no figure. */
  readonly points: readonly Point[];
}

/** A value that a {@linkcode lineChart} draws across, to compare curves with. */
export interface Level {
  /** The name in the legend. */
  readonly name: string;
  /** The class of its line. */
  readonly className: string;
  readonly y: number;
}

/** What a {@linkcode lineChart} shows. */
export interface LineChart {
  readonly title: string;
  /** The names of the axes. */
  readonly x: string;
  readonly y: string;
  /** Curves without points are left out. */
  readonly curves: readonly Curve[];
  /** Drawn behind the curves; what is not finite is left out. */
  readonly levels?: readonly Level[];
  /** How places on the axis of x are named; default as epochs. */
  readonly position?: Position;
  /** Formats a figure of y in full, for the text. */
  readonly format: (y: number) => string;
  /** Formats a tick of y on an axis whose largest tick is given. */
  readonly formatTick: (y: number, largest: number) => string;
  /** Values that the axis of y shows in any case. */
  readonly include?: readonly number[];
  /** The least extent of the axis of y, so that small differences look small; default none. */
  readonly minExtent?: number;
  /** The ends that the axis of y does not pass. */
  readonly limits?: readonly [number, number];
  /** Which figures are best; the text names them. */
  readonly best?: "lowest" | "highest";
  /** A sentence for the end of the text. */
  readonly note?: string | undefined;
  /** Whether the chart is a small one. */
  readonly isSmall?: boolean;
}

/** The most points of a curve that a page holds: more than a curve has pixels to show. */
export const MAX_POINTS = 300;
/** The most points that are marked; of more, only the line can be seen. */
const MAX_MARKS = 40;
/** Larger values would overflow on the way to a pixel. */
const MAX_VALUE = 1e300;

const MARGIN = { left: 76, right: 24, top: 30, bottom: 42 };
const SIZES = { large: { width: 720, height: 320 }, small: { width: 350, height: 190 } };

/**
 * Draws curves as an HTML figure: an SVG with axes, ticks and a legend, and the main figures as text. A
 * curve is interrupted where it has no figure. Without curves it is empty.
 */
export function lineChart(chart: LineChart): string {
  const curves = chart.curves.filter(({ points }) => points.length > 0).map((curve) => ({
    ...curve,
    points: curve.points.map(([x, y]): Point => [x, Math.abs(y) <= MAX_VALUE ? y : NaN]),
  }));
  if (curves.length === 0) return "";
  const { title, x, y, note, isSmall = false } = chart;
  const levels = (chart.levels ?? []).filter(({ y }) => Math.abs(y) <= MAX_VALUE);
  const { width, height } = isSmall ? SIZES.small : SIZES.large;
  const label = `${title} by ${x}; the text below has the main figures`;
  const axes = axesOf(chart, curves, levels, { width, height });
  const texts = [
    ...curves.map((curve) => curveText(curve, chart)),
    ...levels.map(({ name, y }) => `${name}: ${chart.format(y)}.`),
    ...(note === undefined ? [] : [note]),
  ];
  const thin = curves.map((curve) => ({ ...curve, points: thinPoints(curve.points, MAX_POINTS) }));
  return `<figure class="chart${isSmall ? " small" : ""}">
<svg role="img" aria-label="${escape(label)}" viewBox="0 0 ${width} ${height}" width="${width}">
<title>${escape(title)}</title>
${grid(chart, axes)}
${levels.map((level) => across(level, axes)).join("")}
${thin.map((curve) => line(curve, axes)).join("\n")}
${thin.map((curve) => marks(curve, axes, chart)).join("\n")}
${curves.length + levels.length > 1 ? legend([...curves, ...levels]) : ""}
<text x="${(axes.left + axes.right) / 2}" y="${height - 6}" text-anchor="middle">${escape(x)}</text>
<text x="12" y="${(axes.top + axes.bottom) / 2}" text-anchor="middle" transform="rotate(-90 12 ${
    (axes.top + axes.bottom) / 2
  })">${escape(y)}</text>
</svg>
<figcaption>${texts.map((text) => escape(text)).join("<br>")}</figcaption>
</figure>`;
}

/** The axes: the pixels of the frame, the ticks, and the pixels of a point. */
interface Axes {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly atX: (x: number) => string;
  readonly atY: (y: number) => string;
}

function axesOf(
  { include = [], minExtent = 0, limits = [-Infinity, Infinity], isSmall }: LineChart,
  curves: readonly Curve[],
  levels: readonly Level[],
  { width, height }: { width: number; height: number },
): Axes {
  const xs = extent(curves.flatMap(({ points }) => points.map(([x]) => x)));
  const [least, most] = extent([
    ...curves.flatMap(({ points }) => points.map(([_, y]) => y).filter(Number.isFinite)),
    ...levels.map(({ y }) => y),
    ...include,
  ]);
  const widened = Math.max(0, (minExtent - (most - least)) / 2);
  const yTicks = niceTicks(least - widened, most + widened, isSmall ? 3 : 5)
    .filter((tick) => tick >= limits[0] && tick <= limits[1]);
  const [left, right] = [MARGIN.left, width - MARGIN.right];
  const [top, bottom] = [MARGIN.top, height - MARGIN.bottom];
  // One x alone is drawn in the middle.
  const [from, to] = xs[0] === xs[1] ? [xs[0] - 1, xs[1] + 1] : xs;
  const [low, high] = [yTicks[0]!, yTicks.at(-1)!];
  return {
    left,
    right,
    top,
    bottom,
    xTicks: niceTicks(from, to, isSmall ? 4 : 10)
      .filter((x) => Number.isInteger(x) && x >= xs[0] && x <= xs[1]),
    yTicks,
    atX: (x) => (left + (right - left) * (x - from) / (to - from)).toFixed(1),
    atY: (y) => (bottom - (bottom - top) * (y - low) / (high - low)).toFixed(1),
  };
}

/** The least and the greatest value; 0 and 1 without values. */
function extent(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  // Not Math.min(...values), which fails on more values than a call has room for.
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Infinity,
    -Infinity,
  ]);
}

function grid(
  { formatTick, position = BY_EPOCH }: LineChart,
  { left, right, top, bottom, xTicks, yTicks, atX, atY }: Axes,
): string {
  const largest = Math.max(...yTicks.map(Math.abs));
  const rows = yTicks.map((y) =>
    `<line class="grid" x1="${left}" x2="${right}" y1="${atY(y)}" y2="${atY(y)}"/>` +
    `<text x="${left - 6}" y="${atY(y)}" dy="4" text-anchor="end">${
      escape(formatTick(y, largest))
    }</text>`
  );
  const columns = xTicks.map((x) =>
    `<line class="axis" x1="${atX(x)}" x2="${atX(x)}" y1="${bottom}" y2="${bottom + 4}"/>` +
    `<text x="${atX(x)}" y="${bottom + 17}" text-anchor="middle">${escape(position.tick(x))}</text>`
  );
  const axis =
    `<polyline class="axis" points="${left},${top} ${left},${bottom} ${right},${bottom}"/>`;
  return rows.join("") + columns.join("") + axis;
}

function across({ className, y }: Level, { left, right, atY }: Axes): string {
  return `<line class="line ${className}" x1="${left}" x2="${right}" y1="${atY(y)}" y2="${
    atY(y)
  }"/>`;
}

function line({ className, points }: Curve, { atX, atY }: Axes): string {
  return runs(points).map((run) => {
    // A line that begins where it ends is drawn as a dot.
    const ends = run.length === 1 ? [run[0]!, run[0]!] : run;
    const at = ends.map(([x, y]) => `${atX(x)},${atY(y)}`).join(" ");
    return `<polyline class="line ${className}" points="${at}"/>`;
  }).join("");
}

/** The pieces of a curve between points without a figure. */
function runs(points: readonly Point[]): Point[][] {
  const pieces: Point[][] = [[]];
  for (const point of points) {
    if (Number.isFinite(point[1])) pieces.at(-1)!.push(point);
    else pieces.push([]);
  }
  return pieces.filter((piece) => piece.length > 0);
}

/** Points that name their figure under the mouse; visible if they are few. */
function marks({ name, className, points }: Curve, { atX, atY }: Axes, chart: LineChart): string {
  const { position = BY_EPOCH } = chart;
  const kind = points.length <= MAX_MARKS ? "mark" : "spot";
  return points.filter(([_, y]) => Number.isFinite(y)).map(([x, y]) =>
    `<circle class="${kind} ${className}" cx="${atX(x)}" cy="${atY(y)}" r="3"><title>${
      escape(`${name}, ${position.name(x)}: ${chart.format(y)}`)
    }</title></circle>`
  ).join("");
}

/** The width of a letter in the legend, at most, and of a line before it, in pixels. */
const [LETTER, SAMPLE] = [7, 30];

function legend(curves: readonly Omit<Level, "y">[]): string {
  let x = MARGIN.left;
  return curves.map(({ name, className }) => {
    const entry = `<line class="line ${className}" x1="${x}" x2="${x + SAMPLE}" y1="14" y2="14"/>` +
      `<text x="${x + SAMPLE + 6}" y="18">${escape(name)}</text>`;
    x += SAMPLE + 6 + LETTER * name.length + 16;
    return entry;
  }).join("");
}

/** The main figures of a curve in words. */
function curveText(
  { name, points }: Curve,
  { format, best, position = BY_EPOCH }: LineChart,
): string {
  const at = ([where, y]: Point) => `${format(y)} ${position.at(where)}`;
  const finite = points.filter(([_, y]) => Number.isFinite(y));
  const lacking = points.filter(([_, y]) => !Number.isFinite(y));
  const figures: string[] = [];
  if (finite.length > 0) {
    const [first, last] = [finite[0]!, finite.at(-1)!];
    const sign = best === "lowest" ? 1 : -1;
    const top = finite.reduce((a, b) => sign * b[1] < sign * a[1] ? b : a);
    figures.push(at(first));
    if (best && top !== first && top !== last) figures.push(`${best} ${at(top)}`);
    if (last !== first) figures.push(`${at(last)}${best && top === last ? `, the ${best}` : ""}`);
  }
  if (lacking.length > 0) {
    const [where] = lacking[0]!;
    figures.push(
      lacking.length === 1
        ? `not a finite number ${position.at(where)}`
        : `not a finite number in ${lacking.length} ${position.plural}, first ${
          position.at(where)
        }`,
    );
  }
  return `${name}: ${figures.join("; ")}.`;
}
