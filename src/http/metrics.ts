/** Counters of a route. */
interface RouteMetrics {
  /** Requests by their status. */
  readonly statuses: Map<number, number>;
  /** Requests within each bound of the histogram. */
  readonly buckets: number[];
  /** The sum of all times, in seconds. */
  seconds: number;
  count: number;
}

/** The bounds of the histogram, in seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A value that is read at each scrape. */
export interface Gauge {
  readonly help: string;
  readonly value: () => number;
  /** Default is none. */
  readonly labels?: () => Readonly<Record<string, string>>;
}

/** Counts requests and images for Prometheus. */
export class Metrics {
  readonly #routes = new Map<string, RouteMetrics>();
  readonly #gauges: Readonly<Record<string, Gauge>>;
  #images = 0;

  /** @param gauges by their names, such as `vit_msn_images_waiting`. */
  constructor(gauges: Readonly<Record<string, Gauge>>) {
    this.#gauges = gauges;
  }

  /** Counts images that the model has computed. */
  countImages(count: number): void {
    this.#images += count;
  }

  /**
   * Counts an answered request.
   *
   * @param route its pattern, never a client's path: each name takes memory.
   */
  countRequest(route: string, status: number, seconds: number): void {
    let metrics = this.#routes.get(route);
    if (!metrics) {
      metrics = { statuses: new Map(), buckets: BOUNDS.map(() => 0), seconds: 0, count: 0 };
      this.#routes.set(route, metrics);
    }
    metrics.statuses.set(status, (metrics.statuses.get(status) ?? 0) + 1);
    BOUNDS.forEach((bound, i) => {
      if (seconds <= bound) metrics.buckets[i]!++;
    });
    metrics.seconds += seconds;
    metrics.count++;
  }

  /** The metrics in Prometheus' text format. */
  toText(): string {
    const lines = [
      "# HELP vit_msn_http_requests_total Requests by route and status.",
      "# TYPE vit_msn_http_requests_total counter",
    ];
    for (const [route, { statuses }] of this.#routes) {
      for (const [status, count] of statuses) {
        lines.push(`vit_msn_http_requests_total{route="${route}",status="${status}"} ${count}`);
      }
    }
    lines.push(
      "# HELP vit_msn_http_request_seconds Time to the answer by route.",
      "# TYPE vit_msn_http_request_seconds histogram",
    );
    for (const [route, { buckets, seconds, count }] of this.#routes) {
      const name = "vit_msn_http_request_seconds";
      BOUNDS.forEach((bound, i) =>
        lines.push(`${name}_bucket{route="${route}",le="${bound}"} ${buckets[i]}`)
      );
      lines.push(`${name}_bucket{route="${route}",le="+Inf"} ${count}`);
      lines.push(`${name}_sum{route="${route}"} ${seconds}`);
      lines.push(`${name}_count{route="${route}"} ${count}`);
    }
    lines.push(
      "# HELP vit_msn_images_total Images that the model has seen.",
      "# TYPE vit_msn_images_total counter",
      `vit_msn_images_total ${this.#images}`,
    );
    for (const [name, { help, value, labels }] of Object.entries(this.#gauges)) {
      const sample = `${name}${labels ? labelText(labels()) : ""}`;
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${sample} ${value()}`);
    }
    return lines.join("\n") + "\n";
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join()}}`;
}
