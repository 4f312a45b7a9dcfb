import type { Route } from "../../route.ts";
import { answerReadiness, readiness } from "./ready.ts";

/** `GET /v2/models/{model}/ready` */
export const modelReady: Route = {
  method: "get",
  path: "/v2/models/:model/ready",
  group: "inference",
  summary: "Whether a model is loaded; 503 while it is not",
  errors: "inference",
  response: readiness,
  answer({ path }, service) {
    service.assertName(path.model);
    return answerReadiness(service);
  },
};
