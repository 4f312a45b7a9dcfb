import * as v from "valibot";
import type { Route } from "../../route.ts";
import type { Service } from "../../service.ts";

/** Whether the model is loaded. */
export const readiness = v.object({ ready: v.boolean() });

/** Says whether the model is loaded; if it is not, it begins to be. */
export function answerReadiness(service: Service): Response {
  const isReady = service.loader.served !== undefined;
  // A host that asks before it sends requests would wait for ever for a model that loads on the first.
  if (!isReady) service.loader.get().catch(() => {});
  return Response.json({ ready: isReady }, { status: isReady ? 200 : 503 });
}

/** `GET /v2/health/ready` */
export const ready: Route = {
  method: "get",
  path: "/v2/health/ready",
  open: true,
  summary: "Whether the model is loaded; 503 while it is not",
  errors: "inference",
  response: readiness,
  answer: (_exchange, service) => answerReadiness(service),
};
