import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { ServerLimits } from "./limits.ts";
import type { Route, RouteRequest } from "./route.ts";
import { inferenceError, openaiError, problemDocument } from "./schemas.ts";

/** The service that the document describes. */
export interface OpenApiOptions {
  /** The model's name, for the examples. */
  readonly name: string;
  readonly limits: ServerLimits;
  /** Whether requests need a key. */
  readonly needsKey: boolean;
}

const ERROR_SCHEMAS = {
  problem: ["application/problem+json", problemDocument],
  openai: ["application/json", openaiError],
  inference: ["application/json", inferenceError],
} as const;

/**
 * Describes routes as OpenAPI 3.1, from the schemas that validate requests.
 *
 * @param routes the served routes.
 */
export function openApiDocument(
  routes: readonly Route[],
  { name, limits, needsKey }: OpenApiOptions,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method] = operation(route, path, name, needsKey);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: `${name}: image classification and embeddings`,
      version: "1",
      description:
        `A ViT-MSN vision transformer. A request has at most ${limits.maxBodyBytes} bytes and ` +
        `${limits.maxImages} images, and is answered within ${limits.timeout / 1000} seconds.`,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths,
    ...(needsKey
      ? { components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } } }
      : {}),
  };
}

function operation(route: Route, path: string, name: string, needsKey: boolean): unknown {
  const { method, summary, open, errors, parameters, request, picture, response } = route;
  const [errorType, errorSchema] = ERROR_SCHEMAS[errors];
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
    name: parameter,
    in: "path",
    required: true,
    schema: { type: "string" },
    example: name,
  }));
  const inQuery = Object.entries(parameters?.entries ?? {}).map(([parameter, schema]) => ({
    name: parameter,
    in: "query",
    required: false,
    schema: jsonSchema(schema),
  }));
  return {
    operationId: `${method}${path.replaceAll(/[^a-z0-9]+/g, "_")}`.replace(/_$/, ""),
    summary,
    security: needsKey && !open ? [{ key: [] }] : [],
    parameters: [...inPath, ...inQuery],
    ...(request
      ? { requestBody: { required: true, content: requestContent(request, parameters, name) } }
      : {}),
    responses: {
      200: {
        description: "Done",
        content: typeof response === "string" ? { [response]: { schema: { type: "string" } } } : {
          ...(picture
            ? { [picture]: { schema: { type: "string", contentMediaType: picture } } }
            : {}),
          "application/json": { schema: jsonSchema(response) },
        },
      },
      default: {
        description: "An error",
        content: { [errorType]: { schema: jsonSchema(errorSchema) } },
      },
    },
  };
}

function requestContent(
  { schema, example, takesImages }: RouteRequest,
  parameters: Route["parameters"],
  name: string,
): unknown {
  const json = {
    "application/json": { schema: jsonSchema(schema), example: example(name) },
  };
  if (!takesImages) return json;
  const fields = Object.fromEntries(
    Object.entries(parameters?.entries ?? {}).map(([field, schema]) => [field, jsonSchema(schema)]),
  );
  const binary = { type: "string", contentMediaType: "application/octet-stream" };
  return {
    ...json,
    "application/octet-stream": { schema: binary },
    "multipart/form-data": {
      schema: {
        type: "object",
        properties: { image: { type: "array", items: binary }, ...fields },
        required: ["image"],
      },
    },
  };
}

function jsonSchema(schema: v.GenericSchema): unknown {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: "draft-2020-12",
    ignoreActions: ["finite"], // numbers in JSON are finite
  });
  return rest;
}
