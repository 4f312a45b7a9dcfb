// The page as `deno task serve` serves it, with that task's permissions.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

/** Starts the service; `use` gets its address. */
async function serving(
  args: readonly string[],
  use: (url: string) => Promise<void>,
): Promise<string> {
  const [, command] = config.tasks.serve.split(" && deno ");
  const child = new Deno.Command("deno", {
    args: [...command!.split(" "), "--port", "0", ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const decoder = new TextDecoder();
  let errors = "";
  const reading = (async () => {
    for await (const chunk of child.stderr) errors += decoder.decode(chunk, { stream: true });
  })();
  try {
    let address: string | undefined;
    while (!(address = /listening on (\S+)/.exec(errors)?.[1])) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await use(address);
  } finally {
    child.kill("SIGINT");
    await child.status;
    await reading;
  }
  return errors;
}

Deno.test("serve has the page at /, the API's description at /docs, and the routes", async () => {
  const errors = await serving([], async (url) => {
    const page = await fetch(`${url}/`);
    const html = await page.text();
    assertStringIncludes(html, 'src="page.js"');
    assertStringIncludes(page.headers.get("content-security-policy")!, "script-src 'self'");
    assertEquals(page.headers.get("cross-origin-embedder-policy"), "require-corp");
    for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const response = await fetch(`${url}/${path}`);
      assert(response.ok, path);
      const again = await fetch(`${url}/${path}`, {
        headers: { "if-none-match": response.headers.get("etag")! },
      });
      assertEquals(again.status, 304);
      await response.arrayBuffer();
    }
    const docs = await fetch(`${url}/docs`);
    assertStringIncludes(await docs.text(), "POST /classify");
    const body = await Deno.readFile("test/images/ship.jpg");
    const response = await fetch(`${url}/classify?top_k=1`, { method: "POST", body });
    assertEquals((await response.json())[0].label, "ship");
  });
  // No permission is asked for.
  assertEquals(errors.includes("allow-"), false, errors);
});

Deno.test("serve --no-page has the plain page", async () => {
  await serving(["--no-page"], async (url) => {
    const html = await (await fetch(`${url}/`)).text();
    assertStringIncludes(html, "curl --data-binary");
    assertEquals((await fetch(`${url}/docs`)).status, 404);
  });
});
