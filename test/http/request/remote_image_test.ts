import { assertEquals, assertStringIncludes } from "@std/assert";
import { isPublicAddress } from "../../../src/http/request/remote_image.ts";
import { post, service, SHIP } from "../service.ts";

type Fetch = (url: URL) => Response;

async function ask(
  url: string,
  fetched: Fetch,
  addresses: Record<string, string[]> = { "a.test": ["93.184.216.34"] },
): Promise<[status: number, text: string]> {
  const handler = service({
    remoteImages: {
      hosts: ["a.test", "inside.test"],
      fetch: (input) => Promise.resolve(fetched(new URL(input.toString()))),
      resolve: (host) => Promise.resolve(addresses[host] ?? []),
    },
    limits: { maxBodyBytes: 200_000 },
  });
  const response = await handler(post("/classify", { inputs: url, parameters: { top_k: 1 } }));
  return [response.status, await response.text()];
}

const redirect = (location: string) => new Response(null, { status: 302, headers: { location } });

Deno.test("an image of an allowed host is fetched, also behind a redirect of it", async () => {
  const [status, text] = await ask(
    "https://a.test/1",
    ({ pathname }) => pathname === "/1" ? redirect("/2") : new Response(SHIP),
  );
  assertEquals([status, JSON.parse(text)[0].label], [200, "ship"]);
});

for (
  const [what, url, fetched, status, words] of [
    [
      "another host",
      "https://b.test/",
      () => new Response(SHIP),
      400,
      "Images are not fetched from the host",
    ],
    ["http", "http://a.test/", () => new Response(SHIP), 400, "not https"],
    ["another port", "https://a.test:8443/", () => new Response(SHIP), 400, "not https"],
    ["credentials", "https://me@a.test/", () => new Response(SHIP), 400, "not https"],
    ["a private address", "https://inside.test/", () => new Response(SHIP), 400, "no public"],
    [
      "a redirect elsewhere",
      "https://a.test/",
      () => redirect("https://b.test"),
      400,
      "Images are not fetched from the host",
    ],
    [
      "a redirect inside",
      "https://a.test/",
      () => redirect("https://inside.test"),
      400,
      "no public",
    ],
    ["redirects for ever", "https://a.test/", () => redirect("/"), 502, "more than 3 times"],
    ["an error there", "https://a.test/", () => new Response("", { status: 500 }), 502, "500"],
    [
      "too many bytes",
      "https://a.test/",
      () => new Response(new Uint8Array(300_000)),
      413,
      "200000",
    ],
  ] as const
) {
  Deno.test(`an image's URL with ${what} is refused`, async () => {
    const addresses = { "a.test": ["93.184.216.34"], "inside.test": ["93.184.216.34", "10.0.0.7"] };
    const [actual, text] = await ask(url, fetched, addresses);
    assertEquals(actual, status, text);
    assertStringIncludes(text, words);
  });
}

Deno.test("addresses that are not of the public internet are told", () => {
  const inside = [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
  ];
  const odd = [
    "::1",
    "fe80::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "2002:a00:1::",
    "224.0.0.1",
    "1.2.3",
    "",
  ];
  for (const address of [...inside, ...odd]) assertEquals(isPublicAddress(address), false, address);
  for (const address of ["8.8.8.8", "172.32.0.1", "2606:4700::1"]) {
    assertEquals(isPublicAddress(address), true, address);
  }
});
