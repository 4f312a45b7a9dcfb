import * as v from "valibot";
import type { Route } from "../../route.ts";
import { modelObject, modelOf } from "./model.ts";

/** `GET /v1/models` */
export const openaiModels: Route = {
  method: "get",
  path: "/v1/models",
  group: "openai",
  summary: "The models here, in OpenAI's form",
  errors: "openai",
  response: v.object({ object: v.literal("list"), data: v.array(modelObject) }),
  answer: (_exchange, service) => Response.json({ object: "list", data: [modelOf(service.name)] }),
};
