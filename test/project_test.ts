import { assert, assertEquals, assertMatch } from "@std/assert";
import denoConfig from "../deno.json" with { type: "json" };
import importMap from "../import_map.json" with { type: "json" };

/** The lockfile, as far as the tests read it. */
interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { readonly integrity?: string }>>;
}

const lock: Lock = JSON.parse(Deno.readTextFileSync(new URL("../deno.lock", import.meta.url)));
const tasks = Object.entries(denoConfig.tasks);

/** A package that is not the user's command's: only tests, or the compiler of the kernels, import it. */
const DEVELOPMENT = Object.values(importMap.scopes).flatMap((scope) => Object.keys(scope));

// The configuration itself has no lockfile: `deno task` would download all that is in it, before the
// task begins.
Deno.test("every command of a task holds its packages against the lockfile", () => {
  for (const [name, command] of tasks) {
    for (
      const [, verb, options] of command.matchAll(
        /deno (run|serve|test|check|cache|doc)(.*?)(?=&&|$)/g,
      )
    ) {
      if (name === "bench:peers") continue; // what it measures against is no package of the project
      assertMatch(options!, /^ --lock --frozen /, `${name}: deno ${verb}`);
    }
  }
});

Deno.test("tasks have only the permissions that they name", () => {
  for (const [name, command] of tasks) {
    assert(!/(^| )(-A|--allow-all)( |$)/.test(command), name);
  }
});

Deno.test("every package has one exact version and a hash", () => {
  const scopes = [importMap.imports, ...Object.values(importMap.scopes)];
  for (const address of scopes.flatMap((scope) => Object.values(scope))) {
    const [, specifier] = address.match(/^npm:\/?((?:@[^/@]+\/)?[^/@]+@\d+\.\d+\.\d+)(?:\/|$)/) ??
      [];
    assert(specifier, `${address} has no exact version`);
    assert(`npm:${specifier}` in lock.specifiers, `${specifier} is not in deno.lock`);
  }
  for (const [name, { integrity }] of Object.entries(lock.npm)) {
    assertMatch(integrity ?? "", /^sha512-/, name);
  }
});

Deno.test("what only the development needs is out of the commands' reach", () => {
  const shared = Object.keys(importMap.imports).filter((name) => DEVELOPMENT.includes(name));
  assertEquals(shared, []);
  for (const name of ["openai", "assemblyscript/asc", "ajv/2020"]) {
    assert(DEVELOPMENT.includes(name), name);
  }
});
