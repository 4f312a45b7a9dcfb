import type * as v from "valibot";
import type { Answer } from "./exchange.ts";
import { classify } from "./routes/classify.ts";
import { embed } from "./routes/embed.ts";
import { infer, live, metadata, ready, server } from "./routes/inference.ts";
import { landingPage } from "./routes/landing_page.ts";
import { metrics } from "./routes/metrics.ts";
import { openaiEmbeddings, openaiModel, openaiModels } from "./routes/openai.ts";
import * as schemas from "./schemas.ts";

/** Routes that belong together: a function of a host may have some of them only. */
export type RouteGroup = "classify" | "embed" | "openai" | "inference";

/** Every {@linkcode RouteGroup}. */
export const ROUTE_GROUPS = ["classify", "embed", "openai", "inference"] as const;

/** A route, and what its documentation says. */
export interface Route {
  readonly method: "get" | "post";
  /** As hono writes it: `:model` is a parameter. */
  readonly path: string;
  /** Routes without one are everywhere. */
  readonly group?: RouteGroup;
  /** Whether it is answered without a key. */
  readonly open?: boolean;
  readonly summary: string;
  readonly answer: Answer;
  /** Of the query, and of a form's fields. */
  readonly parameters?: { readonly entries: Readonly<Record<string, v.GenericSchema>> };
  /** Of a JSON body. */
  readonly request?: v.GenericSchema;
  /** Whether images are also taken raw and in forms. */
  readonly takesImages?: boolean;
  /** Of a JSON answer; without one it is text. */
  readonly response?: v.GenericSchema;
}

/** Every route but the API's own description. */
export const ROUTES: readonly Route[] = [
  {
    method: "post",
    path: "/classify",
    group: "classify",
    summary: "Names what is on an image, or on several",
    answer: classify,
    parameters: schemas.classifyParameters,
    request: schemas.classifyRequest,
    takesImages: true,
    response: schemas.classifyResponse,
  },
  {
    method: "post",
    path: "/embed",
    group: "embed",
    summary: "Computes the embeddings of images",
    answer: embed,
    parameters: schemas.embedParameters,
    request: schemas.embedRequest,
    takesImages: true,
    response: schemas.embedResponse,
  },
  {
    method: "post",
    path: "/v1/embeddings",
    group: "openai",
    summary: "Embeddings in OpenAI's form, of images as data URLs",
    answer: openaiEmbeddings,
    request: schemas.openaiRequest,
    response: schemas.openaiResponse,
  },
  {
    method: "get",
    path: "/v1/models",
    group: "openai",
    summary: "The models here, in OpenAI's form",
    answer: openaiModels,
    response: schemas.openaiModels,
  },
  {
    method: "get",
    path: "/v1/models/:model",
    group: "openai",
    summary: "A model, in OpenAI's form",
    answer: openaiModel,
    response: schemas.openaiModel,
  },
  {
    method: "get",
    path: "/v2",
    group: "inference",
    summary: "The server, by the Open Inference Protocol",
    answer: server,
    response: schemas.serverMetadata,
  },
  {
    method: "get",
    path: "/v2/health/live",
    open: true,
    summary: "Whether the process answers",
    answer: live,
    response: schemas.liveResponse,
  },
  {
    method: "get",
    path: "/v2/health/ready",
    open: true,
    summary: "Whether the model is loaded; 503 while it is not",
    answer: ready,
    response: schemas.readyResponse,
  },
  {
    method: "get",
    path: "/v2/models/:model",
    group: "inference",
    summary: "A model's inputs and outputs",
    answer: metadata,
    response: schemas.modelMetadata,
  },
  {
    method: "get",
    path: "/v2/models/:model/ready",
    group: "inference",
    summary: "Whether a model is loaded; 503 while it is not",
    answer: ready,
    response: schemas.readyResponse,
  },
  {
    method: "post",
    path: "/v2/models/:model/infer",
    group: "inference",
    summary: "Logits or embeddings of pixel_values or of images",
    answer: infer,
    request: schemas.inferRequest,
    response: schemas.inferResponse,
  },
  {
    method: "get",
    path: "/metrics",
    summary: "Counters in Prometheus' text format",
    answer: metrics,
  },
  {
    method: "get",
    path: "/",
    open: true,
    summary: "A page that says what this is",
    answer: landingPage,
  },
];
