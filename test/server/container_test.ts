// What a container's image runs, as its Dockerfile says; only the port is another one.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "../http/socket.ts";
import { bundled } from "./bundle.ts";

/** The arguments behind an instruction of a Dockerfile, in its JSON form. */
function instruction(dockerfile: string, name: string): string[] {
  return JSON.parse(new RegExp(`^${name} .*?(\\[.*\\])$`, "m").exec(dockerfile)![1]!);
}

Deno.test("a container's command serves all routes, and its health check tells whether it does", async () => {
  using folder = await bundled(["--target", "container"]);
  const app = `${folder.path}/dist`;
  const port = String(freePort());
  const read = async (name: string) =>
    (await Deno.readTextFile(`${app}/${name}`)).replaceAll("8000", port);
  const dockerfile = await read("Dockerfile");
  await Deno.writeTextFile(`${app}/health.js`, await read("health.js"));
  // What must not be copied into the image is not there.
  for (const name of (await read(".dockerignore")).trim().split("\n")) {
    await Deno.remove(`${app}/${name}`);
  }
  const settings = /^ENV (.*)$/m.exec(dockerfile)![1]!.split(" ").map((pair) => pair.split("="));
  const options = {
    cwd: app,
    // Of the image: an empty cache.
    env: { ...Object.fromEntries(settings), DENO_DIR: `${Deno.cwd()}/${folder.path}/empty` },
  };
  const command = (words: readonly string[], more: Partial<Deno.CommandOptions> = {}) => {
    assertEquals(words[0], "/bin/deno");
    return new Deno.Command("deno", { args: words.slice(1), ...options, ...more });
  };
  const [healthCheck, entryPoint, cmd] = ["HEALTHCHECK", "ENTRYPOINT", "CMD"].map((name) =>
    instruction(dockerfile, name)
  );
  assert(!(await command(healthCheck!).output()).success, "healthy before it runs");
  const server = command([...entryPoint!, ...cmd!], { stdout: "piped", stderr: "piped" }).spawn();
  try {
    let isHealthy = false;
    for (let tries = 0; tries < 100 && !isHealthy; tries++) {
      isHealthy = (await command(healthCheck!).output()).success;
    }
    assert(isHealthy, "not healthy");
    const url = (path: string) => `http://127.0.0.1:${port}${path}`;
    const body = await Deno.readFile("test/images/ship.jpg");
    const json = { "content-type": "application/json" };
    const inputs = [{ name: "images", datatype: "BYTES", shape: [1], data: [body.toBase64()] }];
    for (
      const [path, init] of [
        ["/classify?top_k=1", { method: "POST", body }],
        ["/embed", { method: "POST", body }],
        [
          "/v2/models/vit-msn/infer",
          { method: "POST", headers: json, body: JSON.stringify({ inputs }) },
        ],
        ["/v2/health/ready", {}],
      ] as const
    ) {
      const response = await fetch(url(path), init);
      const text = await response.text();
      assertEquals(response.status, 200, text);
      if (path.startsWith("/classify")) assertStringIncludes(text, '"ship"');
    }
  } finally {
    server.kill("SIGTERM");
    const { code, stderr } = await server.output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  }
});
