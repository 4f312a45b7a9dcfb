import type { Context } from "hono";
import { Hono } from "hono/tiny";
import { bearerAuth } from "hono/bearer-auth";
import { cors } from "hono/cors";
import { requestId, type RequestIdVariables } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { setMetric, timing, type TimingVariables } from "hono/timing";
import type { ImageDecoder } from "../image/image_decoder.ts";
import { Deadline } from "./deadline.ts";
import type { Timings } from "./service.ts";
import { checkLimits, DEFAULT_LIMITS, type Limits } from "./limits.ts";
import type { ServedModel } from "./model_loader.ts";
import { openApiDocument } from "./openapi.ts";
import { errorShapeOf, Problem, problemResponse } from "./problem.ts";
import type { RemoteImageOptions } from "./request/remote_image.ts";
import { type Route, ROUTE_GROUPS, type RouteGroup, ROUTES } from "./routes.ts";
import { Service } from "./service.ts";

/** A request in a log: nothing of its images, its query or its key. */
export interface LogEntry {
  /** When it came, ISO 8601. */
  readonly time: string;
  /** The request's id, which its answer has in `x-request-id`. */
  readonly id: string;
  /** GET, POST, … */
  readonly method: string;
  /** The route's pattern; `*` if there is none. */
  readonly route: string;
  /** The answer's. */
  readonly status: number;
  /** To the answer. */
  readonly milliseconds: number;
  /** What went wrong inside, with a status of 500 or above. */
  readonly error?: string;
}

/** What {@linkcode createHandler} makes a service of. */
export interface HandlerOptions {
  /**
   * The model, or what makes it ready: that is called at once, and if it fails, again at the next request
   * that needs it.
   */
  readonly model: ServedModel | (() => Promise<ServedModel>);
  /** Decodes the images. Whoever made it disposes of it. */
  readonly decoder: ImageDecoder;
  /** How many images the decoder decodes at a time; default 1. */
  readonly decoders?: number;
  /** The model's name towards clients; default `vit-msn`. */
  readonly name?: string;
  /** Others than {@linkcode DEFAULT_LIMITS}. */
  readonly limits?: Partial<Limits>;
  /** Which routes there are; default is all. */
  readonly routes?: readonly RouteGroup[];
  /** Keys of which a request must bring one, as `Authorization: Bearer`; default is none. */
  readonly apiKeys?: readonly string[];
  /** Whose pages may use the service, such as `https://example.com`, or `*`; default is no page's. */
  readonly allowOrigins?: readonly string[];
  /** From where images are fetched that are named by URLs; default is nowhere. */
  readonly remoteImages?: RemoteImageOptions;
  /** Gets to see every answered request. */
  readonly log?: (entry: LogEntry) => void;
}

/** Longer ones are nobody's: every parameter has a place in a form or in JSON, too. */
const MAX_URL_LENGTH = 8192;

type Environment = { Variables: RequestIdVariables & TimingVariables };

/** The headers that pages of other origins get to see. */
const EXPOSED = ["server-timing", "x-request-id", "retry-after"];

/**
 * Makes a service of a model: a function from requests to responses, without sockets. It never rejects, and
 * no response tells of its inside.
 *
 * @throws {RangeError} if a limit is no positive integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ImageDecoder } from "../image/image_decoder.ts";
 * import { loadModel } from "../model.ts";
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
    decoders = 1,
    name = "vit-msn",
    limits: ownLimits = {},
    routes: groups = ROUTE_GROUPS,
    apiKeys = [],
    allowOrigins = [],
    remoteImages = { hosts: [] },
    log = () => {},
  }: HandlerOptions,
): (request: Request) => Promise<Response> {
  const limits = { ...DEFAULT_LIMITS, ...ownLimits };
  checkLimits(limits);
  const service = new Service({ name, model, decoder, decoders, limits, remoteImages });
  const routes = ROUTES.filter(({ group }) => !group || groups.includes(group));
  // Made when it is asked for: most services start without anybody reading it.
  let document: Record<string, unknown> | undefined;
  const describe: Route = {
    method: "get",
    path: "/openapi.json",
    open: true,
    summary: "This API, as OpenAPI 3.1",
    answer: () =>
      Response.json(
        document ??= openApiDocument(routes, { name, limits, needsKey: apiKeys.length > 0 }),
      ),
  };
  const all = [...routes, describe];

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
      new Problem(404, "There is nothing here; GET / says what there is"),
      errorShapeOf(context.req.path),
    )
  );
  app.onError((error, context) =>
    problemResponse(toProblem(error), errorShapeOf(context.req.path))
  );
  return async (request) => await app.fetch(request);
}

async function answer(
  context: Context<Environment>,
  { answer }: Route,
  service: Service,
): Promise<Response> {
  const request = context.req.raw;
  using deadline = new Deadline(service.limits.timeout, request.signal);
  const timings: Timings = new Map();
  const path = context.req.param() as Record<string, string>;
  const response = await answer({ request, service, deadline, timings, path });
  for (const [name, milliseconds] of timings) setMetric(context, name, milliseconds);
  return response;
}

/** @throws {Problem} 414 if it is too long, 400 if it is malformed, as with a malformed `Host`. */
function assertUrl(url: string): void {
  if (url.length > MAX_URL_LENGTH) {
    throw new Problem(414, `The request's URL has more than ${MAX_URL_LENGTH} characters`);
  }
  if (!URL.canParse(url)) {
    throw new Problem(400, "The request's address is malformed: its Host header or its path");
  }
}

/** Counts and logs every request. */
function observe(service: Service, log: NonNullable<HandlerOptions["log"]>) {
  const patterns = [...ROUTES.map(({ path }) => path), "/openapi.json"].map((pattern) =>
    [pattern, new RegExp(`^${pattern.replaceAll(/:\w+/g, "[^/]+")}$`)] as const
  );
  return async (context: Context<Environment>, next: () => Promise<void>): Promise<void> => {
    const time = new Date().toISOString();
    const start = performance.now();
    await next();
    context.res.headers.set("x-request-id", context.get("requestId"));
    const milliseconds = performance.now() - start;
    const { status } = context.res;
    const { path } = context.req;
    const [route] = patterns.find(([, pattern]) => pattern.test(path)) ?? ["*"];
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

/** What the log says of an error: what lies behind it, if that is known. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message;
}

/** What a client may know of an error. */
function toProblem(error: Error): Problem {
  if (error instanceof Problem) return error;
  const response = "getResponse" in error && typeof error.getResponse === "function"
    ? error.getResponse() as Response
    : undefined;
  if (response?.status === 401 || response?.status === 400) { // of hono's authentication
    return new Problem(
      401,
      "The request brings no valid key: Authorization: Bearer KEY",
      { "www-authenticate": "Bearer" },
    );
  }
  return new Problem(500, "Something went wrong here; x-request-id tells whom to ask about what");
}
