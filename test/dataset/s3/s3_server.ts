/** A request as the server got it. */
export interface SeenRequest {
  readonly url: URL;
  readonly headers: Headers;
}

/** What a fault does in place of an answer; undefined: nothing. */
export type Fault = (request: SeenRequest) => Response | undefined | Promise<Response | undefined>;

/** The settings that it accepts. */
export const KEYS = {
  AWS_ACCESS_KEY_ID: "AKIATEST",
  AWS_SECRET_ACCESS_KEY: "very+secret/key",
};

/** A server that answers like S3, of the one bucket `photos`; it checks signatures. */
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
    if (!await isSigned(request)) return s3Error(403, "SignatureDoesNotMatch");
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

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=AKIATEST\/(\d{8})\/us-east-1\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;

/**
 * Whether a request has the signature of its address as it came: a server that decodes and encodes it again gets
 * the same only if it came in the one form that signatures are made of.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
async function isSigned({ method, url, headers }: Request): Promise<boolean> {
  const [, day, names = "", signature] = AUTHORIZATION.exec(headers.get("authorization") ?? "") ??
    [];
  const time = headers.get("x-amz-date") ?? "";
  const isWhole = ["host", "x-amz-content-sha256", "x-amz-date"].every((name) =>
    names.split(";").includes(name)
  );
  if (!day || !time.startsWith(day) || !isWhole) return false;
  const { pathname, search } = new URL(url);
  const strict = (text: string) => /^(?:[A-Za-z0-9_.~\/=&-]|%[0-9A-F]{2})*$/.test(text);
  if (!strict(pathname) || !strict(search.slice(1))) return false;
  const canonical = [
    method,
    pathname,
    search.slice(1).split("&").sort().join("&"),
    ...names.split(";").map((name) => `${name}:${headers.get(name)}`),
    "",
    names,
    headers.get("x-amz-content-sha256"),
  ].join("\n");
  const encoder = new TextEncoder();
  const hash = await crypto.subtle.digest("SHA-256", encoder.encode(canonical));
  const scope = `${day}/us-east-1/s3/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${new Uint8Array(hash).toHex()}`;
  let key: Uint8Array<ArrayBuffer> = encoder.encode(`AWS4${KEYS.AWS_SECRET_ACCESS_KEY}`);
  for (const part of [...scope.split("/"), text]) {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
    key = new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(part)));
  }
  return key.toHex() === signature;
}
