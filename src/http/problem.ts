import { concat } from "@std/bytes/concat";

/** The statuses of errors, with their titles (RFC 9110, RFC 6585). */
const TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
} as const;

/** The status of an error. */
export type ProblemStatus = keyof typeof TITLES;

/** An error whose message is written for the client. */
export class Problem extends Error {
  override name = "Problem";
  readonly status: ProblemStatus;
  readonly headers: Readonly<Record<string, string>>;

  /**
   * @param detail one sentence for the client, without internals.
   * @param headers that go with the status, such as `Allow`.
   * @param options the cause, for the log.
   */
  constructor(
    status: ProblemStatus,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    options: ErrorOptions = {},
  ) {
    super(detail, options);
    this.status = status;
    this.headers = headers;
  }

  /** The title of the status. */
  get title(): string {
    return TITLES[this.status];
  }
}

/**
 * How a route's clients expect errors: `problem` is RFC 9457 with a string `error` beside it, which
 * `@huggingface/inference` shows; `openai` is OpenAI's; `inference` is the Open Inference Protocol's.
 */
export type ErrorShape = "problem" | "openai" | "inference";

/** The error shape for an unknown path. */
export function errorShapeOf(path: string): ErrorShape {
  if (path.startsWith("/v1/")) return "openai";
  return path === "/v2" || path.startsWith("/v2/") ? "inference" : "problem";
}

/** The error for a malformed URL. */
export function malformedAddress(): Problem {
  return new Problem(400, "The request's address is malformed: its Host header or its path");
}

/** The error as a response. */
export function problemResponse(problem: Problem, shape: ErrorShape): Response {
  const type = shape === "problem" ? "application/problem+json" : "application/json";
  return new Response(JSON.stringify(problemBody(problem, shape)), {
    status: problem.status,
    headers: { ...problem.headers, "content-type": type },
  });
}

/** The error as HTTP/1.1 bytes, for a connection that closes after it. */
export function problemBytes(problem: Problem): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const body = encoder.encode(JSON.stringify(problemBody(problem, "problem")));
  const headers = {
    ...problem.headers,
    "content-type": "application/problem+json",
    "content-length": body.length,
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines}\r\n`;
  return concat([encoder.encode(head), body]);
}

function problemBody({ status, title, message }: Problem, shape: ErrorShape): unknown {
  switch (shape) {
    case "problem":
      return { type: "about:blank", title, status, detail: message, error: message };
    case "openai":
      return {
        error: { message, type: openaiType(status), param: null, code: openaiCode(status) },
      };
    case "inference":
      return { error: message };
  }
}

function openaiType(status: ProblemStatus): string {
  if (status === 429) return "rate_limit_error";
  if (status === 401) return "authentication_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

function openaiCode(status: ProblemStatus): string | null {
  if (status === 401) return "invalid_api_key";
  return status === 404 ? "not_found" : null;
}
