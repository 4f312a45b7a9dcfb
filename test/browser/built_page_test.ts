import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { ROOT, startEsbuild } from "../../src/build/esbuild.ts";
import { PAGE_HEADERS } from "../../src/build/web/security.ts";
import { webPage } from "../../src/build/web/web_page.ts";
import { sha256 } from "../../src/tensor/sha256.ts";

Deno.test("the page is whole: all that it names is there, nothing of this machine, no inline script", async () => {
  await using _esbuild = await startEsbuild();
  const model = { name: "model.onnx", bytes: Uint8Array.of(1, 2, 3) };
  const { files } = await webPage({ out: "dist", model });
  const text = (path: string) => new TextDecoder().decode(files.get(path));

  const html = text("index.html");
  for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) assert(files.has(path!), path);
  assertFalse(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/.test(html));
  assertStringIncludes(html, "require-trusted-types-for 'script'");
  assertEquals(files.get("model.onnx"), model.bytes);

  const scripts = [...files.keys()].filter((path) => path.endsWith(".js"));
  for (const path of scripts) {
    const script = text(path);
    assertFalse(script.includes(fromFileUrl(ROOT)), `${path} has paths of this machine`);
    for (const [, other] of script.matchAll(/(?:from|import\(?)\s*"\.\/([^"]+)"/g)) {
      assert(files.has(other!), `${path} imports ${other}`);
    }
    for (const [, other] of script.matchAll(/new URL\("\.\/([^"]+)",import\.meta\.url/g)) {
      // The engine's and the decoder's own workers: the page starts threads at addresses of its own.
      if (other === "worker.js" || other === "decode_worker.js") continue;
      assert(files.has(other!), `${path} addresses ${other}`);
    }
  }

  // The service worker keeps every file but itself and the host's settings.
  const worker = text("service_worker.js");
  for (const [path, bytes] of files) {
    const isKept = worker.includes(await sha256(bytes));
    assertEquals(isKept, path !== "service_worker.js" && path !== "_headers", path);
  }
  for (const [name, value] of Object.entries(PAGE_HEADERS)) {
    assertStringIncludes(text("_headers"), `  ${name}: ${value}\n`);
  }
});
