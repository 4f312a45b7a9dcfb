import type { Deadline } from "./deadline.ts";
import { matchesTag, resultTag } from "./result_tag.ts";
import type { ServedModel } from "./model_loader.ts";
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

/**
 * Answers with a result that has an ETag, or with 304 where the client has it already: the same images,
 * options and model give the same result.
 *
 * @param work what is done with the images, with all options that make a difference.
 * @param compute the result, JSON.
 */
export async function tagged(
  { request }: Exchange,
  images: readonly Uint8Array<ArrayBuffer>[],
  { sha256 }: ServedModel,
  work: unknown,
  compute: () => Promise<unknown>,
): Promise<Response> {
  const tag = await resultTag(images, sha256, work);
  const headers = { etag: tag, "cache-control": "private, no-cache" };
  if (matchesTag(request.headers.get("if-none-match"), tag)) {
    return new Response(null, { status: 304, headers });
  }
  return Response.json(await compute(), { headers });
}
