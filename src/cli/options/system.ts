import { DENO_TASK } from "../program.ts";

/** The permissions that all uses of a command need together. */
const PERMISSIONS = "--allow-read --allow-write --allow-net --allow-env";

/**
 * Access to the system for hub models and caches; each call that needs a Deno permission requests it first.
 */
export interface System {
  /**
   * Reads an environment variable; undefined if it is unset or empty.
   *
   * @throws {Deno.errors.NotCapable} if it may not be read.
   */
  env(name: string): Promise<string | undefined>;
  /**
   * Requests permission to write to a folder.
   *
   * @throws {Deno.errors.NotCapable} if it is denied.
   */
  allowWrite(folder: string): Promise<void>;
  /**
   * The global `fetch`.
   *
   * @throws {Deno.errors.NotCapable} if the server may not be reached.
   */
  fetch(url: URL, init: RequestInit): Promise<Response>;
  /** Gives up the network and the environment, for a command that a task grants them without need. */
  dropNetwork(): Promise<void>;
}

/**
 * The process's own system. It requests Deno permissions when they are needed; Deno denies them if there
 * is no terminal to prompt on.
 *
 * @param command the command's name, for the advice on how to grant permissions.
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
    async dropNetwork() {
      await Deno.permissions.revoke({ name: "net" });
      await Deno.permissions.revoke({ name: "env" });
    },
  };
}
