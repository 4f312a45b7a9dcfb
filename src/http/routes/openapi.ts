import * as v from "valibot";
import { openApiDocument, type OpenApiOptions } from "../openapi.ts";
import type { Route } from "../route.ts";

/**
 * `GET /openapi.json`: the other routes' description. It is made at the first request, because most services
 * are never asked for it.
 */
export function openApi(routes: readonly Route[], options: OpenApiOptions): Route {
  let document: Record<string, unknown> | undefined;
  return {
    method: "get",
    path: "/openapi.json",
    open: true,
    summary: "This API, as OpenAPI 3.1",
    errors: "problem",
    response: v.record(v.string(), v.unknown()),
    answer: () => Response.json(document ??= openApiDocument(routes, options)),
  };
}
