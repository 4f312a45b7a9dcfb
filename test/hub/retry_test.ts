import { assertEquals } from "@std/assert";
import { status } from "./hub_server.ts";
import { Setting, WEIGHTS } from "./setting.ts";

Deno.test("downloadModel() waits as long as Retry-After says, a minute at most", async () => {
  await using setting = new Setting();
  const now = Date.UTC(2030, 0, 1);
  const retryAfter = (value: string) => status(429, { "Retry-After": value });
  setting.hub.next(
    "hub config.json",
    retryAfter("7"),
    retryAfter(new Date(now + 12_000).toUTCString()),
    retryAfter("3600"),
    retryAfter("soon"),
  );
  await setting.download({ now: () => now });
  assertEquals(setting.slept, [7000, 12_000, 60_000, 8000]);
});

Deno.test("downloadModel() tries again after errors of the server, five times at most", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  hub.next("hub config.json", status(500), status(503));
  await setting.download();
  assertEquals(setting.slept, [1000, 2000]);

  await using failing = new Setting();
  failing.hub.next("hub config.json", ...Array.from({ length: 9 }, () => status(502)));
  await failing.fails("answers HTTP 502 (tried 5 times)");
  assertEquals(failing.hub.received.length, 5);
});

Deno.test("downloadModel() tries again when a server cannot be reached or falls silent", async () => {
  await using setting = new Setting();
  let calls = 0;
  await setting.download({
    fetch: (url, init) => {
      if (++calls === 1) throw new TypeError(`no route to ${url}`);
      return fetch(url, init);
    },
  });
  assertEquals(setting.slept, [1000]);

  await using silent = new Setting();
  silent.hub.next(
    `cdn ${WEIGHTS}`,
    () => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })),
  );
  await silent.download({ silence: 500 });
  silent.assertWeights();
});

Deno.test("downloadModel() does not try again what it may not do", async () => {
  await using setting = new Setting();
  await setting.fails("not allowed", {
    fetch: () => Promise.reject(new Deno.errors.NotCapable("not allowed")),
  });
  assertEquals(setting.slept, []);
});
