import { assertEquals } from "@std/assert";
import { staticFiles } from "../../../src/http/page/static_files.ts";

const text = (value: string) => new TextEncoder().encode(value);
const script = "export const x = 1;\n".repeat(100);

async function answers(request: Request): Promise<Response | undefined> {
  const files = new Map([
    ["index.html", text("<h1>Hello</h1>")],
    ["chunk-ABCD2345.js", text(script)],
    ["model.onnx", Uint8Array.of(1, 2, 3)],
    ["examples/a.jpg", Uint8Array.of(255)],
  ]);
  const serve = await staticFiles(files, { "x-own": "yes" });
  return await serve(request);
}

const get = (path: string, headers: HeadersInit = {}) =>
  answers(new Request(`http://localhost${path}`, { headers }));

Deno.test("each file has its type, its ETag and the page's headers", async () => {
  const types = [
    ["/", "text/html; charset=utf-8"],
    ["/chunk-ABCD2345.js", "text/javascript; charset=utf-8"],
    ["/model.onnx", "application/octet-stream"],
    ["/examples/a.jpg", "image/jpeg"],
  ];
  for (const [path, type] of types) {
    const response = (await get(path!))!;
    assertEquals(response.status, 200);
    assertEquals(response.headers.get("content-type"), type!);
    assertEquals(response.headers.get("x-own"), "yes");
    const etag = response.headers.get("etag")!;
    await response.arrayBuffer();
    const again = (await get(path!, { "if-none-match": `"other", W/${etag}` }))!;
    assertEquals([again.status, await again.text()], [304, ""]);
    const changed = (await get(path!, { "if-none-match": '"other"' }))!;
    assertEquals(changed.status, 200);
    await changed.arrayBuffer();
  }
});

Deno.test("only names with a hash never change", async () => {
  for (const [path, control] of [["/", "no-cache"], ["/model.onnx", "no-cache"]] as const) {
    const response = (await get(path))!;
    assertEquals(response.headers.get("cache-control"), control);
    await response.arrayBuffer();
  }
  const chunk = (await get("/chunk-ABCD2345.js"))!;
  assertEquals(chunk.headers.get("cache-control"), "public, max-age=31536000, immutable");
  await chunk.arrayBuffer();
});

Deno.test("scripts are compressed for those who take it", async () => {
  const plain = (await get("/chunk-ABCD2345.js"))!;
  assertEquals(plain.headers.get("content-encoding"), null);
  assertEquals(await plain.text(), script);
  const zipped = (await get("/chunk-ABCD2345.js", { "accept-encoding": "br, gzip" }))!;
  assertEquals(zipped.headers.get("content-encoding"), "gzip");
  const stream = zipped.body!.pipeThrough(new DecompressionStream("gzip"));
  assertEquals(await new Response(stream).text(), script);
  const model = (await get("/model.onnx", { "accept-encoding": "gzip" }))!;
  assertEquals(model.headers.get("content-encoding"), null);
  await model.arrayBuffer();
});

Deno.test("HEAD has no body; other methods and paths are not answered", async () => {
  const head = (await answers(new Request("http://localhost/", { method: "HEAD" })))!;
  assertEquals([head.headers.get("content-length"), await head.text()], ["14", ""]);
  assertEquals(await answers(new Request("http://localhost/", { method: "POST" })), undefined);
  for (const path of ["/else", "/index.html", "/examples/", "/%2e%2e/deno.json"]) {
    assertEquals(await get(path), undefined);
  }
});
