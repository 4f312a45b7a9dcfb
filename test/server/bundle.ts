import { TempFolder } from "../cli/run.ts";

/** The arguments of `deno` for a bundled function, in the folder above `dist`. */
export function bundleArgs(name: "classify" | "embed"): string[] {
  return [
    "run",
    "--no-remote",
    "--no-npm",
    "--allow-net=127.0.0.1",
    "--allow-read=dist",
    "--allow-env",
    `dist/${name}.js`,
  ];
}

/**
 * Bundles the functions into `dist` in a folder, which goes when it is disposed of.
 *
 * @param options more of `build`.
 */
export async function bundled(options: readonly string[] = []): Promise<TempFolder> {
  const folder = new TempFolder();
  const { success, stderr } = await new Deno.Command("deno", {
    args: [
      "run",
      "--allow-read",
      "--allow-write",
      "--allow-env=INIT_CWD",
      "src/cli/build.ts",
      "--out",
      `${folder.path}/dist`,
      ...options,
    ],
  }).output();
  if (!success) throw new Error(`Cannot bundle: ${new TextDecoder().decode(stderr)}`);
  return folder;
}
