import * as v from "valibot";
import type { Context } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { Hono } from "hono/tiny";
import { readLimited } from "../../src/dataset/read_limited.ts";
import { Problem, problemResponse } from "../../src/http/problem.ts";
import { problemOf } from "../../src/http/problem_of.ts";
import { validate } from "../../src/http/request/validate.ts";
import type { IndexService } from "./index_service.ts";
import { readStorageEvent } from "./storage_event.ts";

/** Options of {@linkcode createIndexHandler}. */
export interface IndexHandlerOptions {
  readonly service: Pick<IndexService, "change" | "batch">;
  /** A request must bring one of them as `Authorization: Bearer`. */
  readonly keys: readonly [string, ...string[]];
  /** Called with what went wrong inside. */
  readonly log: (message: string) => void;
}

/** The row of an object has less than 10 kB. */
const MAX_BODY_BYTES = 1_000_000;
const MAX_BATCH = 10_000;

const BATCH = v.strictObject({
  batch: v.optional(
    v.pipe(
      v.number(),
      v.check(
        (n) => Number.isInteger(n) && n >= 1 && n <= MAX_BATCH,
        `an integer from 1 to ${MAX_BATCH}`,
      ),
    ),
  ),
});

/**
 * Creates the function `index`: a function from requests to responses, without sockets. It never rejects. A POST with
 * the body of a trigger of `storage.objects` brings the index up to date with it; one without a body, or
 * with `{"batch": n}`, works on the queue.
 */
export function createIndexHandler(
  { service, keys, log }: IndexHandlerOptions,
): (request: Request) => Promise<Response> {
  const app = new Hono();
  app.use(bearerAuth({ token: [...keys] }));
  app.post("*", async (context) => context.json(await answer(context, service)));
  app.all("*", () => {
    throw new Problem(405, "The method is not POST", { allow: "POST" });
  });
  app.onError((error) => {
    const problem = toProblem(error);
    if (problem.status >= 500) log(error.message);
    return problemResponse(problem, "problem");
  });
  return async (request) => await app.fetch(request);
}

async function answer(
  { req: { raw } }: Context,
  service: IndexHandlerOptions["service"],
): Promise<object> {
  const body = await readJson(raw);
  return "type" in body
    ? await service.change(readStorageEvent(body))
    : await service.batch(validate(BATCH, body).batch);
}

/** @throws {Problem} 400 if the body is neither empty nor a JSON object, 413 if it is too long. */
async function readJson({ body }: Request): Promise<object> {
  let bytes;
  try {
    bytes = body ? await readLimited(body, MAX_BODY_BYTES) : new Uint8Array();
  } catch (error) {
    if (!(error instanceof RangeError)) throw new Problem(400, "The request's body is cut off");
    throw new Problem(413, `The request's body has more than ${MAX_BODY_BYTES} bytes`);
  }
  if (bytes.length === 0) return {};
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, "The request's body is not JSON");
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  throw new Problem(400, "The request's body is no JSON object");
}

/** Who may call the function may know what it lacks: the message of an index or a setting, without secrets. */
function toProblem(error: Error): Problem {
  const problem = problemOf(error);
  if (error instanceof Problem || problem.status !== 500) return problem;
  return error.message.startsWith("Cannot ")
    ? new Problem(503, error.message)
    : new Problem(500, "Something went wrong here; the function's log says what");
}
