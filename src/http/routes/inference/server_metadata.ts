import * as v from "valibot";
import type { Route } from "../../route.ts";

/** `GET /v2` */
export const serverMetadata: Route = {
  method: "get",
  path: "/v2",
  group: "inference",
  summary: "The server, by the Open Inference Protocol",
  errors: "inference",
  response: v.object({
    name: v.string(),
    version: v.string(),
    extensions: v.array(v.string()),
  }),
  answer: () => Response.json({ name: "vit-msn-edge", version: "2", extensions: [] }),
};
