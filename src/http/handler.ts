import type { Context } from "hono";
import { Hono } from "hono/tiny";
import { bearerAuth } from "hono/bearer-auth";
import { cors } from "hono/cors";
import { requestId, type RequestIdVariables } from "hono/request-id";
import { routePath } from "hono/route";
import { secureHeaders } from "hono/secure-headers";
import { setMetric, timing, type TimingVariables } from "hono/timing";
import type { DecodeMode } from "../image/decode_options.ts";
import type { ImageDecoder } from "../image/image_decoder.ts";
import { Exchange } from "./exchange.ts";
import { checkLimits, DEFAULT_SERVER_LIMITS, type ServerLimits } from "./limits.ts";
import { errorShapeOf, malformedAddress, Problem, problemResponse } from "./problem.ts";
import { problemOf } from "./problem_of.ts";
import type { RemoteImageOptions } from "./request/remote_image.ts";
import type { Route } from "./route.ts";
import { ROUTE_GROUPS, type RouteGroup } from "./route_group.ts";
import { ROUTES } from "./routes.ts";
import { openApi } from "./routes/openapi.ts";
import type { VectorIndex } from "../search/vector_index.ts";
import type { ServedModel } from "./served_model.ts";
import { Service } from "./service.ts";

/** A log entry of a request. It contains nothing of the images, the query or the key. */
export interface RequestLogEntry {
  /** The time of arrival, ISO 8601. */
  readonly time: string;
  /** The request's id, also in the answer's `x-request-id`. */
  readonly id: string;
  /** GET, POST, … */
  readonly method: string;
  /** The route's pattern; `*` if there is none. */
  readonly route: string;
  /** The answer's status. */
  readonly status: number;
  /** The time to the answer, in milliseconds. */
  readonly milliseconds: number;
  /** The internal error, for a status of 500 or above. */
  readonly error?: string;
}

/** Options of {@linkcode createHandler}. */
export interface HandlerOptions {
  /**
   * The model, or a function that loads it. The function is called at once, and after a failure again at the
   * next request that needs the model.
   */
  readonly model: ServedModel | (() => Promise<ServedModel>);
  /** Decodes the images. The caller disposes of it. */
  readonly decoder: ImageDecoder;
  /** How JPEGs are decoded; default `standard`. */
  readonly decode?: DecodeMode;
  /** The model's name for clients; default `vit-msn`. */
  readonly name?: string;
  /** Limits that differ from {@linkcode DEFAULT_SERVER_LIMITS}. */
  readonly limits?: Partial<ServerLimits>;
  /** The groups of routes; default all. */
  readonly routes?: readonly RouteGroup[];
  /** Keys; each request must send one as `Authorization: Bearer`. Default: no key is needed. */
  readonly apiKeys?: readonly string[];
  /** Origins whose pages may use the service, such as `https://example.com`, or `*`; default none. */
  readonly allowOrigins?: readonly string[];
  /** The hosts from which images are fetched by URL; default none. */
  readonly remoteImages?: RemoteImageOptions;
  /**
   * What `POST /search` searches; without one there is no such route. The caller has checked that the model is
   * the index's, with `index.assertModel`, and that images are decoded as its were, and disposes of it.
   */
  readonly index?: VectorIndex;
  /** Called for each answered request. */
  readonly log?: (entry: RequestLogEntry) => void;
}

/** Longer URLs are refused: every parameter can also stand in a form or in JSON. */
const MAX_URL_LENGTH = 8192;

type Environment = { Variables: RequestIdVariables & TimingVariables };

/** The headers that pages of other origins may read. */
const EXPOSED = ["server-timing", "x-request-id", "retry-after"];

/**
 * Creates a service: a function from requests to responses, without sockets. It never rejects, and no
 * response contains internals.
 *
 * @throws {RangeError} if a limit is not a positive integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ImageDecoder } from "../image/image_decoder.ts";
 * import { loadModel } from "../model/load_model.ts";
 * import { createHandler } from "./handler.ts";
 *
 * const model = await loadModel(await Deno.readFile("functions/_shared/model.onnx"));
 * const handler = createHandler({
 *   model: { model, sha256: "1d8039b4" },
 *   decoder: new ImageDecoder({ workers: 0 }),
 * });
 * const body = await Deno.readFile("test/images/ship.jpg");
 * const request = new Request("http://localhost/classify?top_k=1", { method: "POST", body });
 * const [{ label }] = await (await handler(request)).json();
 * assertEquals(label, "ship");
 * ```
 */
export function createHandler(
  {
    model,
    decoder,
    decode = "standard",
    name = "vit-msn",
    limits: ownLimits = {},
    routes: groups = ROUTE_GROUPS,
    apiKeys = [],
    allowOrigins = [],
    remoteImages = { hosts: [] },
    index,
    log = () => {},
  }: HandlerOptions,
): (request: Request) => Promise<Response> {
  const limits = { ...DEFAULT_SERVER_LIMITS, ...ownLimits };
  checkLimits(limits);
  const service = new Service({ name, model, decoder, decode, limits, remoteImages, index });
  const routes = ROUTES.filter(({ group }) =>
    !group || groups.includes(group) && (group !== "search" || index)
  );
  const all = [...routes, openApi(routes, { name, limits, needsKey: apiKeys.length > 0 })];
  const shapes = new Map(all.map(({ path, errors }) => [path, errors]));
  const shapeOf = (context: Context) =>
    shapes.get(patternOf(context)) ?? errorShapeOf(context.req.path);

  const app = new Hono<Environment>();
  app.use(requestId());
  app.use(observe(service, log));
  app.use(secureHeaders({ crossOriginResourcePolicy: "cross-origin" }));
  if (allowOrigins.length > 0) {
    const origin = allowOrigins.includes("*") ? "*" : [...allowOrigins];
    app.use(cors({ origin, exposeHeaders: EXPOSED, maxAge: 600 }));
  }
  app.use(timing());
  app.use(async (context, next) => {
    assertUrl(context.req.raw.url);
    await next();
  });
  const authenticate = bearerAuth({ token: [...apiKeys] });
  for (const route of all) {
    if (apiKeys.length > 0 && !route.open) app.use(route.path, authenticate);
    app.on(route.method.toUpperCase(), route.path, (context) => answer(context, route, service));
  }
  for (const path of new Set(all.map((route) => route.path))) {
    const methods = all.filter((route) => route.path === path)
      .flatMap(({ method }) => method === "get" ? ["GET", "HEAD"] : ["POST"]);
    app.all(path, () => {
      throw new Problem(405, `The method is not one of ${methods.join(", ")}`, {
        allow: methods.join(", "),
      });
    });
  }
  app.notFound((context) =>
    problemResponse(
      new Problem(404, "There is nothing here; GET / names the routes"),
      shapeOf(context),
    )
  );
  app.onError((error, context) => problemResponse(problemOf(error), shapeOf(context)));
  return async (request) => await app.fetch(request);
}

async function answer(
  context: Context<Environment>,
  { answer }: Route,
  service: Service,
): Promise<Response> {
  const path = context.req.param() as Record<string, string>;
  using exchange = new Exchange(context.req.raw, path, service.limits.timeout);
  const response = await answer(exchange, service);
  for (const [part, milliseconds] of exchange.times) setMetric(context, part, milliseconds);
  return response;
}

/** @throws {Problem} 414 if it is too long, 400 if it is malformed, as with a malformed `Host`. */
function assertUrl(url: string): void {
  if (url.length > MAX_URL_LENGTH) {
    throw new Problem(414, `The request's URL has more than ${MAX_URL_LENGTH} characters`);
  }
  if (!URL.canParse(url)) {
    throw malformedAddress();
  }
}

/** The pattern of the route that a request's path matches, whatever its method; `*` if there is none. */
function patternOf(context: Context): string {
  const pattern = routePath(context, -1); // the last one registered: routes come after all middleware
  return pattern === "/*" ? "*" : pattern;
}

/** Counts and logs every request. */
function observe(service: Service, log: NonNullable<HandlerOptions["log"]>) {
  return async (context: Context<Environment>, next: () => Promise<void>): Promise<void> => {
    const time = new Date().toISOString();
    const start = performance.now();
    await next();
    context.res.headers.set("x-request-id", context.get("requestId"));
    const milliseconds = performance.now() - start;
    const { status } = context.res;
    const route = patternOf(context);
    service.metrics.countRequest(route, status, milliseconds / 1000);
    const { error } = context;
    log({
      time,
      id: context.get("requestId"),
      method: context.req.method,
      route,
      status,
      milliseconds: Math.round(10 * milliseconds) / 10,
      ...(error && status >= 500 ? { error: reasonOf(error) } : {}),
    });
  };
}

/** The text of an error for the log: its cause, if there is one. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message;
}
