import * as v from "valibot";
import type { Route } from "../../route.ts";

/** A model in OpenAI's form. */
export const modelObject = v.object({
  id: v.string(),
  object: v.literal("model"),
  created: v.number(),
  owned_by: v.string(),
});

/** Describes the model with this name. */
export function modelOf(id: string): v.InferOutput<typeof modelObject> {
  return { id, object: "model", created: 0, owned_by: "vit-msn-edge" };
}

/** `GET /v1/models/{model}` */
export const openaiModel: Route = {
  method: "get",
  path: "/v1/models/:model",
  group: "openai",
  summary: "A model, in OpenAI's form",
  errors: "openai",
  response: modelObject,
  answer({ path }, service) {
    service.assertName(path.model);
    return Response.json(modelOf(service.name));
  },
};
