import { assert, assertEquals, assertRejects } from "@std/assert";
import { ImageDecodeError } from "../../../src/image/image_decode_error.ts";
import type { ImageSourceOptions } from "../../../src/image/image_source.ts";
import { fetchImage } from "../../../src/image/sources/fetch_image.ts";

const BYTES = Uint8Array.of(1, 2, 3);
const PAGE = { document: {}, location: { href: "https://page.test/shop/" } };

/** A fetch that notes what it is asked for. */
function fetcher(answer: (url: URL) => Response = () => new Response(BYTES)) {
  const asked: string[] = [];
  const inits: (RequestInit | undefined)[] = [];
  const fetch = (input: URL | RequestInfo, init?: RequestInit) => {
    const url = new URL(input.toString());
    asked.push(url.href);
    inits.push(init);
    return Promise.resolve(answer(url));
  };
  return { asked, inits, fetch };
}

const redirect = (location: string) => new Response(null, { status: 302, headers: { location } });

for (
  const [what, url, allowedHosts] of [
    ["a host", "https://a.test/1.jpg", ["b.test", "A.test"]],
    ["a host with a port", "https://a.test:8443/1.jpg", ["a.test:8443"]],
    ["an origin", "http://localhost:8000/1.jpg", ["http://localhost:8000"]],
  ] as const
) {
  Deno.test(`a server fetches from ${what} that is allowed`, async () => {
    const { asked, fetch } = fetcher();
    assertEquals(await fetchImage(new URL(url), { allowedHosts, fetch }), BYTES);
    assertEquals(asked, [url]);
  });
}

for (
  const [what, url, allowedHosts, words] of [
    ["any host by default", "https://a.test/", undefined, 'pass { allowedHosts: ["a.test"] }'],
    ["another host", "https://b.test/", ["a.test"], "allowedHosts has no https://b.test"],
    ["a host's subdomain", "https://x.a.test/", ["a.test"], "allowedHosts has no"],
    ["a host by http", "http://a.test/", ["a.test"], "allowedHosts has no http://a.test"],
    ["another port", "https://a.test:8443/", ["a.test"], "allowedHosts has no"],
    ["with credentials", "https://me:pw@a.test/", ["a.test"], "has credentials"],
    ["from FTP", "ftp://a.test/", ["a.test"], "starts with ftp:"],
    ["a relative URL", "1.jpg", ["a.test"], '"1.jpg" is no URL'],
  ] as const
) {
  Deno.test(`a server does not fetch ${what}`, async () => {
    const { asked, fetch } = fetcher();
    const options: ImageSourceOptions = { fetch, ...(allowedHosts ? { allowedHosts } : {}) };
    await assertRejects(() => fetchImage(url, options), TypeError, words);
    assertEquals(asked, []);
  });
}

Deno.test("a server follows redirects of allowed hosts only, and not forever", async () => {
  const options = { allowedHosts: ["a.test", "cdn.test"] };
  const moved = fetcher(({ host }) =>
    host === "a.test" ? redirect("https://cdn.test/2") : new Response(BYTES)
  );
  assertEquals(await fetchImage("https://a.test/1", { ...options, ...moved }), BYTES);
  assertEquals(moved.asked, ["https://a.test/1", "https://cdn.test/2"]);
  assert(moved.inits.every((init) => init?.redirect === "manual"));

  const inside = fetcher(() => redirect("http://169.254.169.254/"));
  const attack = () => fetchImage("https://a.test/1", { ...options, ...inside });
  await assertRejects(attack, TypeError, "allowedHosts has no http://169.254.169.254");
  assertEquals(inside.asked.length, 1);

  const circle = fetcher(() => redirect("/again"));
  const turn = () => fetchImage("https://a.test/1", { ...options, ...circle });
  await assertRejects(turn, ImageDecodeError, "redirects more than 3 times");
  assertEquals(circle.asked.length, 4);
});

Deno.test("a page fetches any URL, relative ones too, unless allowedHosts is given", async () => {
  const { asked, fetch } = fetcher();
  assertEquals(await fetchImage("1.jpg", { fetch }, PAGE), BYTES);
  assertEquals(await fetchImage("http://b.test/", { fetch }, PAGE), BYTES);
  assertEquals(asked, ["https://page.test/shop/1.jpg", "http://b.test/"]);
  const allowed = { fetch, allowedHosts: ["page.test"] };
  assertEquals(await fetchImage("1.jpg", allowed, PAGE), BYTES);
  await assertRejects(() => fetchImage("https://b.test/", allowed, PAGE), TypeError, "b.test");
});

Deno.test("a page holds the end of redirects to allowedHosts", async () => {
  const fetch = () => {
    const response = new Response(BYTES);
    Object.defineProperty(response, "url", { value: "https://b.test/" });
    return Promise.resolve(response);
  };
  const options = { fetch, allowedHosts: ["page.test"] };
  await assertRejects(() => fetchImage("1.jpg", options, PAGE), TypeError, "https://b.test");
});

Deno.test("a download has the caller's signal", async () => {
  const { inits, fetch } = fetcher();
  const { signal } = new AbortController();
  await fetchImage("https://a.test/", { fetch, signal, allowedHosts: ["a.test"] });
  await fetchImage("https://a.test/", { fetch, signal }, PAGE);
  assert(inits.every((init) => init?.signal === signal));
});

Deno.test("an image that a host does not have is an error with the status", async () => {
  const { fetch } = fetcher(() => new Response("gone", { status: 410 }));
  const options = { fetch, allowedHosts: ["a.test"] };
  await assertRejects(() => fetchImage("https://a.test/", options), ImageDecodeError, "410");
});
