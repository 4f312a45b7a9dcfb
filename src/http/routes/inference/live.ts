import * as v from "valibot";
import type { Route } from "../../route.ts";

/** `GET /v2/health/live`: the process answers. */
export const live: Route = {
  method: "get",
  path: "/v2/health/live",
  open: true,
  summary: "Whether the process answers",
  errors: "inference",
  response: v.object({ live: v.boolean() }),
  answer: () => Response.json({ live: true }),
};
