/** How a server of S3 is called. */
export interface S3Settings {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary keys. */
  readonly sessionToken?: string | undefined;
  readonly region: string;
  /** The server's URL, with a path if it has one; undefined: Amazon's. */
  readonly endpoint?: URL | undefined;
}

/** What {@linkcode readS3Settings} reads; the permissions of the tasks name them. */
type S3Variable =
  | "AWS_ACCESS_KEY_ID"
  | "AWS_SECRET_ACCESS_KEY"
  | "AWS_SESSION_TOKEN"
  | "AWS_REGION"
  | "AWS_DEFAULT_REGION"
  | "AWS_ENDPOINT_URL_S3"
  | "AWS_ENDPOINT_URL";

/** What most servers but Amazon's take, whatever their region. */
const DEFAULT_REGION = "us-east-1";

/**
 * Reads the settings that Amazon's tools take from the environment. Files such as `~/.aws/credentials` are not
 * read.
 *
 * @throws {Error} if one is missing or cannot be used; the message names it and never has a secret.
 */
export function readS3Settings(env: Pick<Deno.Env, "get">): S3Settings {
  const get = (name: S3Variable) => {
    try {
      return env.get(name)?.trim() || undefined;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      throw new Error(`there is no permission to read ${name}: add --allow-env`);
    }
  };
  const accessKeyId = get("AWS_ACCESS_KEY_ID");
  const secretAccessKey = get("AWS_SECRET_ACCESS_KEY");
  if (!accessKeyId || !secretAccessKey) {
    throw new Error(
      `there are no credentials: ${
        accessKeyId ? "AWS_SECRET_ACCESS_KEY is" : "AWS_ACCESS_KEY_ID is"
      } not set; set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and AWS_ENDPOINT_URL for a ` +
        "server that is not Amazon's",
    );
  }
  const text = get("AWS_ENDPOINT_URL_S3") ?? get("AWS_ENDPOINT_URL");
  const endpoint = text === undefined ? undefined : URL.parse(text) ?? undefined;
  const isUrl = endpoint && /^https?:$/.test(endpoint.protocol) && endpoint.username === "";
  if (text !== undefined && !isUrl) {
    throw new Error(
      "AWS_ENDPOINT_URL is no URL with http or https and without a user; write it as https://HOST[:PORT]",
    );
  }
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: get("AWS_SESSION_TOKEN"),
    region: get("AWS_REGION") ?? get("AWS_DEFAULT_REGION") ?? DEFAULT_REGION,
    endpoint,
  };
}
