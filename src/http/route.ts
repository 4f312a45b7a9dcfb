import type * as v from "valibot";
import type { Exchange } from "./exchange.ts";
import type { ErrorShape } from "./problem.ts";
import type { ParametersSchema } from "./request/text_parameters.ts";
import type { RouteGroup } from "./route_group.ts";
import type { Service } from "./service.ts";

/** Answers a request. */
export type Answer = (exchange: Exchange, service: Service) => Promise<Response> | Response;

/** A route: routing, documentation, error documents and metrics are derived from it. */
export interface Route {
  readonly method: "get" | "post";
  /** As hono writes it: `:model` is a parameter, and takes the model's name. */
  readonly path: string;
  /** Routes without one are everywhere. */
  readonly group?: RouteGroup;
  /** Whether it is answered without a key. */
  readonly open?: boolean;
  readonly summary: string;
  /** How its clients expect errors. */
  readonly errors: ErrorShape;
  /** Of the query, and of a form's fields. */
  readonly parameters?: ParametersSchema;
  /** Of its body; without one it takes none. */
  readonly request?: RouteRequest;
  /** The media type of its answer to a client that does not ask for JSON. */
  readonly picture?: "image/png";
  /** The schema of a JSON answer, or the media type of a text. */
  readonly response: v.GenericSchema | "text/html" | "text/plain";
  readonly answer: Answer;
}

/** What a route takes. */
export interface RouteRequest {
  /** Of a JSON body. */
  readonly schema: v.GenericSchema;
  /** A JSON body that a service of the model with this name answers with 200. */
  readonly example: (model: string) => unknown;
  /** Whether images are also taken raw and in forms. */
  readonly takesImages?: boolean;
}
