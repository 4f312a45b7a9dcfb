import type { Route } from "../route.ts";

/** `GET /metrics`: counters for Prometheus. */
export const metrics: Route = {
  method: "get",
  path: "/metrics",
  summary: "Counters in Prometheus' text format",
  errors: "problem",
  response: "text/plain",
  answer: (_exchange, service) =>
    new Response(service.metrics.toText(), {
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    }),
};
