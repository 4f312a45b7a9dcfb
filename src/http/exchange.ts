import type { Deadline } from "./deadline.ts";
import type { Service, Timings } from "./service.ts";

/** A request on its way, and what its answer says besides. */
export interface Exchange {
  readonly request: Request;
  readonly service: Service;
  readonly deadline: Deadline;
  readonly timings: Timings;
  /** The values of the path's parameters. */
  readonly path: Readonly<Record<string, string>>;
}

/** Answers a request. */
export type Answer = (exchange: Exchange) => Promise<Response> | Response;
