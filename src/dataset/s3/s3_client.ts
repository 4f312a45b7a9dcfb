import { delay } from "@std/async/delay";
import { readLimited } from "../read_limited.ts";
import { readS3Page, type S3Object } from "./s3_answer.ts";
import { S3Error, s3ErrorOf } from "./s3_error.ts";
import type { S3Settings } from "./s3_settings.ts";

/** Options of {@linkcode S3Client}. */
export interface S3ClientOptions {
  /** The wait before the second attempt, in milliseconds; it doubles. Default 200: 6 s in all. */
  readonly retryDelay?: number;
  /** The time of an attempt, with its body, in milliseconds. Default 60 s. */
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A listed object, and whether its time tells a change. */
export interface ListedObject extends Omit<S3Object, "modified"> {
  /** In milliseconds since 1970; undefined for an object so new that it may change within the same second. */
  readonly modified?: number;
}

const ATTEMPTS = 6;
/** Servers count in seconds. */
const SETTLED = 2000;
/** 1,000 keys of 1,024 bytes, each as `%XX`, with what is around them, have 4 MB. */
const MAX_PAGE_BYTES = 16_000_000;
const MAX_ERROR_BYTES = 64_000;

/**
 * Lists and reads objects of any server of S3. Requests are signed (Signature Version 4) and repeated, with
 * growing waits, while the server is busy or does not answer.
 */
export class S3Client {
  readonly #settings: S3Settings;
  readonly #options: S3ClientOptions;
  #signer: Promise<Signer> | undefined;

  constructor(settings: S3Settings, options: S3ClientOptions = {}) {
    this.#settings = settings;
    this.#options = options;
  }

  /**
   * Lists the objects whose keys begin with a prefix, as the server asks for it, 1,000 at a time.
   *
   * @throws {S3Error} if it refuses or cannot be reached.
   */
  async *list(bucket: string, prefix: string): AsyncGenerator<ListedObject> {
    let next: string | undefined;
    do {
      const query: Record<string, string> = {
        "list-type": "2",
        "encoding-type": "url", // XML has no control characters
        "max-keys": "1000",
        ...(prefix === "" ? {} : { prefix }),
        ...(next === undefined ? {} : { "continuation-token": next }),
      };
      const url = this.#url(bucket, "") + "?" +
        Object.entries(query).map(([name, value]) => `${name}=${encode(value)}`).join("&");
      const { page, now } = await this.#ask(url, async (response) => {
        const xml = new TextDecoder().decode(await readLimited(bodyOf(response), MAX_PAGE_BYTES));
        const page = readS3Page(xml);
        const now = Date.parse(response.headers.get("date") ?? "") || Date.now();
        if (page) return { page, now };
        throw new S3Error("the answer is no list of S3; check AWS_ENDPOINT_URL", false);
      });
      for (const { key, size, modified } of page.objects) {
        yield { key, size, ...(modified > now - SETTLED ? {} : { modified }) };
      }
      if (page.next === next && next !== undefined) {
        throw new S3Error("the server gives the same part of the list again", false);
      }
      next = page.next;
    } while (next !== undefined);
  }

  /**
   * Reads an object.
   *
   * @throws {S3Error} if the server refuses or cannot be reached.
   * @throws {RangeError} if it has more than `maxBytes`.
   */
  async read(bucket: string, key: string, maxBytes: number): Promise<Uint8Array> {
    // URLs resolve these.
    if (key.split("/").some((name) => /^\.{1,2}$/.test(name))) {
      throw new S3Error("it cannot be asked for: a part of its key is . or ..", false);
    }
    return await this.#ask(
      this.#url(bucket, key),
      (response) => readLimited(bodyOf(response), maxBytes),
    );
  }

  /** Amazon's buckets have hosts of their own, but not those with points, for which no certificate is. */
  #url(bucket: string, key: string): string {
    const { endpoint, region } = this.#settings;
    const path = key.split("/").map(encode).join("/");
    if (endpoint) {
      return `${endpoint.origin}${endpoint.pathname.replace(/\/+$/, "")}/${bucket}/${path}`;
    }
    const host = `s3.${region}.amazonaws.com`;
    return bucket.includes(".")
      ? `https://${host}/${bucket}/${path}`
      : `https://${bucket}.${host}/${path}`;
  }

  /** Asks until there is an answer, and reads it. */
  async #ask<T>(url: string, read: (response: Response) => Promise<T>): Promise<T> {
    const { retryDelay = 200, signal } = this.#options;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#askOnce(url, read);
      } catch (error) {
        const isTemporary = error instanceof S3Error && error.isTemporary;
        if (!isTemporary || attempt === ATTEMPTS) throw error;
      }
      const wait = retryDelay * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
      await delay(wait, signal ? { signal } : {});
    }
  }

  async #askOnce<T>(url: string, read: (response: Response) => Promise<T>): Promise<T> {
    const { timeout = 60_000, signal } = this.#options;
    const { host } = new URL(url);
    const timer = AbortSignal.timeout(timeout);
    try {
      this.#signer ??= signerOf(this.#settings);
      const request = await (await this.#signer).sign(url, {
        redirect: "manual", // what another address would get is not signed for it
        signal: signal ? AbortSignal.any([signal, timer]) : timer,
      });
      const response = await fetch(request);
      if (response.status === 200) return await read(response);
      const body = new TextDecoder().decode(await readLimited(bodyOf(response), MAX_ERROR_BYTES));
      throw s3ErrorOf(response.status, response.headers, body);
    } catch (error) {
      if (error instanceof S3Error || error instanceof RangeError || signal?.aborted) throw error;
      if (timer.aborted) throw new S3Error(`${host} did not answer in ${timeout / 1000} s`, true);
      if (error instanceof Deno.errors.NotCapable) {
        throw new S3Error(`there is no permission to connect to ${host}: add --allow-net`, false);
      }
      throw new S3Error(
        `${host} cannot be reached (${error instanceof Error ? reasonOf(error) : error}); check ` +
          "AWS_ENDPOINT_URL, AWS_REGION and the network",
        true,
        { cause: error },
      );
    }
  }
}

type Signer = Pick<import("aws4fetch").AwsClient, "sign">;

/** Nobody else needs the package. */
async function signerOf(
  { accessKeyId, secretAccessKey, sessionToken, region }: S3Settings,
): Promise<Signer> {
  const { AwsClient } = await import("aws4fetch");
  const session = sessionToken === undefined ? {} : { sessionToken };
  return new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", ...session });
}

/** As Amazon's signature has it: `encodeURIComponent` leaves five characters more as they are. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function bodyOf({ body }: Response): ReadableStream<Uint8Array> {
  return body ?? new ReadableStream({ start: (controller) => controller.close() });
}

/** What of an error of fetch has no URL: the innermost cause. */
function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? reasonOf(cause) : message.replace(/ for url \(.*?\)/, "");
}
