import { DENO_TASK } from "../program.ts";

/** What a command may need, in all. */
const PERMISSIONS = "--allow-read --allow-write --allow-net --allow-env";

/** What models of the hub and caches need of the system; it asks the user for it when it is used. */
export interface System {
  /**
   * A variable of the environment; nothing if it is not set, or empty.
   *
   * @throws {Deno.errors.NotCapable} if it may not be read.
   */
  env(name: string): Promise<string | undefined>;
  /**
   * Makes sure that a folder may be written to.
   *
   * @throws {Deno.errors.NotCapable} if it may not.
   */
  allowWrite(folder: string): Promise<void>;
  /**
   * The global `fetch`.
   *
   * @throws {Deno.errors.NotCapable} if the server may not be reached.
   */
  fetch(url: URL, init: RequestInit): Promise<Response>;
}

/**
 * The process's own system. Deno's permissions are asked for when they are needed; without a terminal
 * to ask on, they are refused.
 *
 * @param command whose name goes into the advice on how to give permissions.
 * @param program what the user typed before the command's name.
 */
export function processSystem(
  command: string,
  program: string,
  request: (
    descriptor: Deno.PermissionDescriptor,
  ) => Promise<Pick<Deno.PermissionStatus, "state">> = (descriptor) =>
    Deno.permissions.request(descriptor),
): System {
  const ask = async (descriptor: Deno.PermissionDescriptor, what: string) => {
    if ((await request(descriptor)).state === "granted") return;
    throw new Deno.errors.NotCapable(
      `this needs --allow-${what}: ` +
        (program === DENO_TASK
          ? `use \`deno run --lock --frozen ${PERMISSIONS} src/cli/${command}.ts …\` in place of ` +
            `\`${program} ${command}\``
          : `install ${program} with ${PERMISSIONS}`),
    );
  };
  return {
    async env(name) {
      await ask({ name: "env", variable: name }, `env=${name}`);
      return Deno.env.get(name)?.trim() || undefined;
    },
    async allowWrite(folder) {
      await ask({ name: "write", path: folder }, `write=${folder}`);
    },
    async fetch(url, init) {
      await ask({ name: "net", host: url.host }, `net=${url.host}`);
      return await fetch(url, init);
    },
  };
}
