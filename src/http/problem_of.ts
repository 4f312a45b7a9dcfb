import { Problem } from "./problem.ts";

/** The problem that a client may see in place of an error that a handler threw. */
export function problemOf(error: Error): Problem {
  if (error instanceof Problem) return error;
  const response = "getResponse" in error && typeof error.getResponse === "function"
    ? error.getResponse() as Response
    : undefined;
  if (response?.status === 401 || response?.status === 400) { // of hono's authentication
    return new Problem(
      401,
      "The request brings no valid key: Authorization: Bearer KEY",
      { "www-authenticate": "Bearer" },
    );
  }
  return new Problem(500, "Something went wrong here; x-request-id tells whom to ask about what");
}
