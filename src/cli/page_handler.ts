import { PAGE_HEADERS } from "../build/web/security.ts";
import { docsPage } from "../http/page/docs_page.ts";
import { staticFiles } from "../http/page/static_files.ts";

type Handler = (request: Request) => Promise<Response>;

/** Paths that only the page has: of no other does it answer. */
const OF_PAGE = /^\/($|[\w.-]+\.(js|css|svg|wasm|webmanifest|onnx)$|examples\/)/;

/**
 * Puts the page before a service: at `/`, with its files beside it, and the description of the service at
 * `/docs`. Without the page's files, the service answers as it does alone.
 *
 * @param makeFiles is called at the first visit.
 * @param log hears why there is no page.
 */
export function pageHandler(
  service: Handler,
  makeFiles: () => Promise<ReadonlyMap<string, Uint8Array>>,
  log: (message: string) => void,
): Handler {
  let page: Promise<(request: Request) => Promise<Response | undefined>> | undefined;
  const load = async () => {
    try {
      return await staticFiles(await makeFiles(), PAGE_HEADERS);
    } catch (error) {
      log(`cannot make the page: ${(error as Error).message}`);
      return () => Promise.resolve(undefined);
    }
  };
  return async (request) => {
    if (!URL.canParse(request.url)) return await service(request);
    const { pathname, origin } = new URL(request.url);
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead && pathname === "/docs") return await docs(service, origin);
    if (!isRead || !OF_PAGE.test(pathname)) return await service(request);
    return await (await (page ??= load()))(request) ?? await service(request);
  };
}

async function docs(service: Handler, origin: string): Promise<Response> {
  const document = await (await service(new Request(`${origin}/openapi.json`))).json();
  return new Response(docsPage(document, origin), {
    headers: { ...PAGE_HEADERS, "content-type": "text/html; charset=utf-8" },
  });
}
