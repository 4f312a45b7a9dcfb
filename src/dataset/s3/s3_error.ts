import { readS3Error } from "./s3_answer.ts";

/** A refusal of a server of S3. */
export class S3Error extends Error {
  override name = "S3Error";

  constructor(
    message: string,
    /** Whether the same request may succeed a little later. */
    readonly isTemporary: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Statuses of servers that are busy or at fault. */
const TEMPORARY: readonly number[] = [408, 429, 500, 502, 503, 504];

/** What codes mean, and what to do. */
const MEANINGS: Readonly<Record<string, string>> = {
  NoSuchKey: "no such object",
  NoSuchBucket:
    "there is no such bucket; check its name, AWS_REGION and, for a server that is not Amazon's, AWS_ENDPOINT_URL",
  AccessDenied:
    "access is denied; the key needs the permissions s3:ListBucket and s3:GetObject for this bucket",
  InvalidAccessKeyId: "the server does not know the key; check AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch:
    "the secret does not fit the key; check AWS_SECRET_ACCESS_KEY and, for Supabase, AWS_REGION",
  ExpiredToken: "the credentials have expired; get new ones and set AWS_SESSION_TOKEN, too",
  InvalidToken: "the session's token is not accepted; check AWS_SESSION_TOKEN",
  RequestTimeTooSkewed: "this machine's clock is wrong; set it",
  InvalidObjectState: "it is archived; restore it first",
};

/** The error of an answer that is not 200. */
export function s3ErrorOf(status: number, headers: Headers, body: string): S3Error {
  const { code, message, region = headers.get("x-amz-bucket-region") ?? undefined } = readS3Error(
    body,
  );
  const isTemporary = TEMPORARY.includes(status) || code === "SlowDown";
  return new S3Error(meaningOf(status, code, region, message), isTemporary);
}

function meaningOf(status: number, code?: string, region?: string, message?: string): string {
  const isElsewhere = status === 301 || status === 307 || code === "AuthorizationHeaderMalformed";
  if (isElsewhere && region) return `the bucket is in ${region}; set AWS_REGION=${region}`;
  if (isElsewhere) return "the bucket is elsewhere; check AWS_REGION and AWS_ENDPOINT_URL";
  if (code !== undefined && MEANINGS[code]) return MEANINGS[code];
  if (code !== undefined) {
    return `the server answers ${status} ${code}${message ? `: ${message}` : ""}`;
  }
  return {
    401: "the server does not accept the key; check AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL",
    403: MEANINGS.AccessDenied!,
  }[status] ??
    `the server answers ${status}, without a reason${
      TEMPORARY.includes(status) ? "" : "; check AWS_ENDPOINT_URL"
    }`;
}
