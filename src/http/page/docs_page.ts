import { escape } from "@std/html/entities";

/** What this page shows of an OpenAPI document. */
interface OpenApiDocument {
  readonly info: { readonly title: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: unknown;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { example?: unknown }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, unknown>> }>
  >;
}

/** Longer examples are cut: they contain images. */
const MAX_EXAMPLE = 400;

/**
 * Describes a service for people: HTML without scripts, made from its `openapi.json`.
 *
 * @param document of `openApiDocument`.
 * @param origin of the service, for the commands.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { docsPage } from "./docs_page.ts";
 *
 * const operation = { summary: "Says hello", responses: { 200: { content: { "text/plain": {} } } } };
 * const html = docsPage(
 *   { info: { title: "mine", description: "" }, paths: { "/hello": { get: operation } } },
 *   "http://localhost",
 * );
 * assertStringIncludes(html, "Says hello");
 * ```
 */
export function docsPage(document: unknown, origin: string): string {
  const { info, paths } = document as OpenApiDocument;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => section(method, path, operation))
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escape(info.title)}</title>
<link rel="stylesheet" href="style.css">
<body class="docs">
<main>
<h1>${escape(info.title)}</h1>
<p>${escape(info.description)}</p>
<pre tabindex="0">
curl --data-binary @photo.jpg ${escape(origin)}/classify?top_k=3
curl -F image=@a.jpg -F image=@b.png ${escape(origin)}/classify
curl --data-binary @photo.jpg ${escape(origin)}/embed?normalize=true
</pre>
<p>JPEG, PNG, GIF and WebP. For programs: <a href="openapi.json">openapi.json</a>.
For people: <a href="./">the page</a>.</p>
${operations.join("")}</main>
</body>
</html>
`;
}

function section(method: string, path: string, operation: Operation): string {
  const { summary, security = [], parameters = [], requestBody, responses } = operation;
  const rows = parameters.map(({ name, in: place, required, schema }) =>
    `<tr><td><code>${escape(name)}</code><td>${escape(place)}${required ? ", required" : ""}` +
    `<td>${escape(describe(schema))}</tr>`
  );
  const types = Object.keys(requestBody?.content ?? {}).map(code);
  const example = requestBody?.content["application/json"]?.example;
  const answers = Object.keys(responses[200]?.content ?? {}).map(code);
  return `<section>
<h2><code>${method.toUpperCase()} ${escape(path)}</code></h2>
<p>${escape(summary)}.${security.length > 0 ? " Needs a key." : ""}</p>
${
    rows.length > 0
      ? `<table><thead><tr><th>Parameter<th>Where<th>Value</tr></thead><tbody>${
        rows.join("")
      }</tbody></table>\n`
      : ""
  }${types.length > 0 ? `<p>Takes ${types.join(", ")}.</p>\n` : ""}${
    example === undefined ? "" : `<pre tabindex="0">${escape(shorten(example))}</pre>\n`
  }<p>Answers with ${answers.join(", ")}.</p>
</section>
`;
}

function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

function shorten(example: unknown): string {
  const text = JSON.stringify(example);
  return text.length > MAX_EXAMPLE ? `${text.slice(0, MAX_EXAMPLE)}…` : text;
}

/** A JSON schema in a few words. */
function describe(schema: unknown): string {
  const { type, enum: values, minimum, maximum, exclusiveMinimum, default: otherwise, anyOf } =
    schema as Record<string, unknown>;
  const words = Array.isArray(values)
    ? `one of ${values.join(", ")}`
    : Array.isArray(anyOf)
    ? anyOf.map(describe).join(" or ")
    : String(type ?? "any");
  return [
    words,
    minimum === undefined ? "" : `from ${minimum}`,
    exclusiveMinimum === undefined ? "" : `above ${exclusiveMinimum}`,
    maximum === undefined ? "" : `up to ${maximum}`,
    otherwise === undefined ? "" : `default ${otherwise}`,
  ].filter(Boolean).join(", ");
}
