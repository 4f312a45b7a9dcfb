/** A request as the server got it. */
export interface SeenRequest {
  readonly url: URL;
  readonly headers: Headers;
}

/** What a fault does in place of an answer; undefined: nothing. */
export type Fault = (request: SeenRequest) => Response | undefined | Promise<Response | undefined>;

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/us-east-1\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date(;x-amz-security-token)?, Signature=[0-9a-f]{64}$/;

/** The settings that it accepts. */
export const KEYS = {
  AWS_ACCESS_KEY_ID: "AKIATEST",
  AWS_SECRET_ACCESS_KEY: "very+secret/key",
};

/** A server that answers like S3, of the one bucket `photos`; it looks at credentials, not at signatures. */
export class S3Server implements AsyncDisposable {
  readonly objects = new Map<string, { bytes: Uint8Array<ArrayBuffer>; modified: Date }>();
  readonly seen: SeenRequest[] = [];
  fault: Fault = () => undefined;
  /** Whether it encodes keys when it is asked to. */
  encodes = true;
  readonly #server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => this.#answer(request),
  );

  get endpoint(): URL {
    return new URL(`http://127.0.0.1:${this.#server.addr.port}/storage/v1/s3/`);
  }

  put(key: string, bytes: Uint8Array<ArrayBuffer>, modified = new Date("2024-05-01T10:00:00Z")) {
    this.objects.set(key, { bytes, modified });
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const seen = { url, headers: request.headers };
    this.seen.push(seen);
    const fault = await this.fault(seen);
    if (fault) return fault;
    if (!AUTHORIZATION.test(request.headers.get("authorization") ?? "")) {
      return s3Error(403, "InvalidAccessKeyId");
    }
    const [, bucket, key] = /^\/storage\/v1\/s3\/([^/]+)\/(.*)$/.exec(url.pathname) ?? [];
    if (bucket !== "photos") return s3Error(404, "NoSuchBucket");
    if (key === "") return this.#list(url.searchParams);
    const object = this.objects.get(decodeURIComponent(key!));
    return object ? new Response(object.bytes) : s3Error(404, "NoSuchKey");
  }

  #list(query: URLSearchParams): Response {
    const prefix = query.get("prefix") ?? "";
    const start = Number(query.get("continuation-token")?.replace(/^t\+\/=/, "") ?? 0);
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    const end = start + Math.min(1000, Number(query.get("max-keys")));
    const isEncoded = this.encodes && query.get("encoding-type") === "url";
    const text = (key: string) =>
      isEncoded
        ? encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/")
        : key.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const contents = keys.slice(start, end).map((key) => {
      const { bytes, modified } = this.objects.get(key)!;
      return `<Contents><Key>${
        text(key)
      }</Key><LastModified>${modified.toISOString()}</LastModified>` +
        `<ETag>&quot;0&quot;</ETag><Size>${bytes.length}</Size><Owner><ID>1</ID></Owner></Contents>`;
    });
    return new Response(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
        `<Name>photos</Name><Prefix>${text(prefix)}</Prefix>` +
        (isEncoded ? "<EncodingType>url</EncodingType>" : "") +
        `<IsTruncated>${end < keys.length}</IsTruncated>${contents.join("")}` +
        (end < keys.length ? `<NextContinuationToken>t+/=${end}</NextContinuationToken>` : "") +
        "</ListBucketResult>",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** An answer with an error of S3. */
export function s3Error(status: number, code: string, more = ""): Response {
  return new Response(
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Sorry &amp; no</Message>${more}</Error>`,
    { status },
  );
}
