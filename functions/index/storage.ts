import { readLimited } from "../../src/dataset/read_limited.ts";
import { parseS3Url } from "../../src/dataset/s3/s3_url.ts";

/** Thrown if Storage does not answer: another time, it may. */
export class StorageError extends Error {
  override name = "StorageError";
}

/** Options of {@linkcode Storage}. */
export interface StorageOptions {
  readonly projectUrl: URL;
  readonly serviceKey: string;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
  /** The wait before the second attempt, in milliseconds; it doubles. Default 200. */
  readonly retryDelay?: number;
}

const ATTEMPTS = 3;
/** The time of an attempt, in milliseconds. */
const TIMEOUT = 20_000;
const MAX_ERROR_BYTES = 16_000;

/**
 * Reads objects of Supabase's Storage by its REST API, which takes the key that every function has; its endpoint for
 * S3 would need keys of its own.
 */
export class Storage {
  readonly #options: StorageOptions;

  constructor(options: StorageOptions) {
    this.#options = options;
  }

  /**
   * Reads an object.
   *
   * @param path `s3://BUCKET/KEY`.
   * @throws {StorageError} if Storage does not answer, or not as it should.
   * @throws {Error} if there is no such object, or it has more than `maxBytes`.
   */
  async read(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const url = this.#url(path);
    const { retryDelay = 200 } = this.#options;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#readOnce(url, maxBytes);
      } catch (error) {
        if (!(error instanceof StorageError) || attempt === ATTEMPTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, retryDelay * 2 ** (attempt - 1)));
    }
  }

  #url(path: string): URL {
    if (!/^s3:\/\//.test(path)) {
      throw new Error("the function reads only objects of Storage, s3://BUCKET/KEY");
    }
    const { bucket, key } = parseS3Url(path);
    const names = [bucket, ...key.split("/")];
    // URLs resolve these.
    if (key === "" || names.some((name) => /^\.{1,2}$/.test(name))) {
      throw new Error("it cannot be asked for: a part of its key is . or ..");
    }
    const url = new URL(this.#options.projectUrl);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/storage/v1/object/${
      names.map(encodeURIComponent).join("/")
    }`;
    return url;
  }

  async #readOnce(url: URL, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const { serviceKey, fetch = globalThis.fetch } = this.#options;
    let response: Response;
    try {
      response = await fetch(url, {
        headers: { authorization: `Bearer ${serviceKey}`, apikey: serviceKey },
        signal: AbortSignal.timeout(TIMEOUT),
      });
      const { body = null } = response;
      const bytes = await readLimited(
        body ?? new ReadableStream({ start: (controller) => controller.close() }),
        response.ok ? maxBytes : MAX_ERROR_BYTES,
      );
      if (response.ok) return new Uint8Array(bytes);
      throw errorOf(response.status, bytes);
    } catch (error) {
      if (error instanceof StorageError || error instanceof RangeError) throw error;
      if (error instanceof MissingObject) throw error;
      throw new StorageError("Storage does not answer", { cause: error });
    }
  }
}

/** There is no such object. */
class MissingObject extends Error {}

/** Storage answers 400 where it means 404, which stands in the body. */
function errorOf(status: number, body: Uint8Array): Error {
  let said: { statusCode?: unknown; message?: unknown } = {};
  try {
    said = JSON.parse(new TextDecoder().decode(body)) ?? {};
  } catch {
    // The status says enough.
  }
  if (status === 404 || String(said.statusCode) === "404") {
    return new MissingObject("no such object");
  }
  return new StorageError(
    `Storage answers ${status}${typeof said.message === "string" ? `: ${said.message}` : ""}`,
  );
}
