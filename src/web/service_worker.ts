// Keeps the page's files, so that it works without a network, and isolates it from other origins, which threads need,
// on hosts that cannot send headers of their own.

/** The files of this build by their paths, with their SHA-256; the build writes them here. */
declare const FILES: Readonly<Record<string, string>>;
/** The build, as the HTML names it; the build writes it here. */
declare const BUILD: string;
/** Headers of every answer; the build writes them here. */
declare const HEADERS: Readonly<Record<string, string>>;

/** What this module uses of a service worker's global scope, whose types contradict those of pages. */
interface ServiceWorkerScope {
  readonly registration: { readonly scope: string; unregister(): Promise<boolean> };
  readonly clients: { claim(): Promise<void> };
  addEventListener(
    type: "install" | "activate",
    listener: (event: { waitUntil(work: Promise<unknown>): void }) => void,
  ): void;
  addEventListener(
    type: "fetch",
    listener: (event: {
      readonly request: Request;
      respondWith(response: Promise<Response>): void;
    }) => void,
  ): void;
}

const scope = globalThis as unknown as ServiceWorkerScope;
const base = scope.registration.scope;

/** One cache for all builds: a file has the same key as long as it is the same. */
const CACHE = "vit-msn-edge-page";

/** Where a file is kept. */
function keyOf(path: string): string {
  return `${base}${path}?sha256=${FILES[path]}`;
}

scope.addEventListener("install", (event) => event.waitUntil(keepAll()));
scope.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([removeOld(), scope.clients.claim()]));
});
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const [url] = request.url.split(/[?#]/);
  if (request.method !== "GET" || !url!.startsWith(base)) return;
  const path = url!.slice(base.length);
  if (path === "") event.respondWith(page(request));
  else if (path in FILES) event.respondWith(kept(path, request));
});

async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    Object.keys(FILES).map(async (path) => {
      const key = keyOf(path);
      if (await cache.match(key)) return;
      // Of the browser's cache, if it is still the same there.
      const response = await fetch(base + (path === "index.html" ? "" : path), {
        cache: "no-cache",
      });
      if (!response.ok) throw new Error(`Cannot keep ${path}: status ${response.status}`);
      await cache.put(key, response);
    }),
  );
}

/** Removes the files of earlier builds. No page of theirs is open any more. */
async function removeOld(): Promise<void> {
  const cache = await caches.open(CACHE);
  const keys = new Set(Object.keys(FILES).map(keyOf));
  for (const { url } of await cache.keys()) {
    if (!keys.has(url)) await cache.delete(url);
  }
}

/** How long the network may take before what is kept is shown, in milliseconds. */
const PATIENCE = 3000;

/**
 * The HTML: of the network, if there is one, to see whether it is still of this build. A host may have a new one,
 * or something else altogether, as another program at the same port of this machine: then this service worker
 * steps aside.
 */
async function page(request: Request): Promise<Response> {
  const own = () => kept("index.html", request);
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), PATIENCE);
  });
  const response = await Promise.race([fetch(request).catch(() => undefined), late]);
  if (!response || response.status >= 500) return await own();
  if (response.type === "opaqueredirect") return response;
  if (response.ok && (await response.clone().text()).includes(BUILD)) return await own();
  await scope.registration.unregister();
  return response;
}

/** A file of this build, with the headers. */
async function kept(path: string, request: Request): Promise<Response> {
  const match = await (await caches.open(CACHE)).match(keyOf(path));
  const response = match ?? await fetch(request);
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
