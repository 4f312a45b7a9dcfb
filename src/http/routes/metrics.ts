import type { Answer } from "../exchange.ts";

/** `GET /metrics`: counters for Prometheus. */
export const metrics: Answer = ({ service }) =>
  new Response(service.metrics.toText(), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
