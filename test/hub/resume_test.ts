import { assert, assertEquals } from "@std/assert";
import { cutAfter, status } from "./hub_server.ts";
import { Setting, WEIGHTS } from "./setting.ts";

Deno.test("downloadModel() goes on where the connection was cut", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  hub.next(`cdn ${WEIGHTS}`, cutAfter(40_000, hub.etag), cutAfter(10_000, hub.etag));
  await setting.download();
  setting.assertWeights();
  assertEquals(setting.ranges(), [null, "bytes=40000-", "bytes=50000-"]);
  assertEquals(hub.received.at(-1)?.ifRange, hub.etag);
  assertEquals(setting.slept, [1000, 2000]);
});

Deno.test("downloadModel() goes on with what an earlier call left", async () => {
  await using setting = new Setting();
  const { hub } = setting;
  const cuts = [1, 2, 3, 4, 5].map(() => cutAfter(1000, hub.etag));
  hub.next(`cdn ${WEIGHTS}`, ...cuts);
  await setting.fails("Cannot download model.safetensors of org/tiny@main: the connection broke");
  assertEquals(setting.slept, [1000, 2000, 4000, 8000]);
  assert(setting.names().includes(`${WEIGHTS}.partial`));
  await setting.fails("its download was interrupted", { offline: true });
  await setting.download();
  setting.assertWeights();
  assertEquals(setting.ranges().at(-1), "bytes=5000-");
});

Deno.test("downloadModel() starts over when the file has changed between the parts", async () => {
  const changed = '"version-2"';
  // A server that sees that in If-Range sends the whole; one that does not sends a part of another file.
  const blind = () =>
    new Response("rest", {
      status: 206,
      headers: { ETag: changed, "Content-Range": "bytes 40000-91159/91160" },
    });
  for (const answers of [[], [blind], [status(416)]]) {
    await using setting = new Setting();
    const { hub } = setting;
    hub.next(`cdn ${WEIGHTS}`, cutAfter(40_000, hub.etag), ...answers);
    hub.etag = changed;
    await setting.download();
    setting.assertWeights();
    const retried = answers.length > 0 ? [null] : [];
    assertEquals(setting.ranges(), [null, "bytes=40000-", ...retried]);
  }
});

Deno.test("downloadModel() starts over where a server gives no ETag, or a weak one", async () => {
  for (const etag of ["", 'W/"version-1"']) {
    await using setting = new Setting();
    setting.hub.next(`cdn ${WEIGHTS}`, cutAfter(40_000, etag));
    await setting.download();
    setting.assertWeights();
    assertEquals(setting.ranges(), [null, null]);
  }
});
