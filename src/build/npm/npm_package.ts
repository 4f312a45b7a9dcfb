import { ROOT } from "../esbuild.ts";
import { declarations } from "./declarations.ts";
import { bundleExports } from "./javascript.ts";
import { thirdPartyLicences } from "./licences.ts";
import { packageJson } from "./package_json.ts";

/**
 * Makes the npm package: JavaScript for Node.js, Deno, Bun and browsers, another one for Cloudflare's
 * workerd, type declarations, the embedded model, licences.
 *
 * @returns the files by their paths in the package.
 */
export async function npmPackage(): Promise<ReadonlyMap<string, Uint8Array>> {
  const encoder = new TextEncoder();
  const own = (path: string) => Deno.readFile(new URL(path, ROOT));
  const script = await bundleExports({ compiled: false });
  const workerd = await bundleExports({ compiled: true });
  const model = await own("functions/_shared/model.onnx");
  return new Map([
    ["package.json", encoder.encode(packageJson())],
    ["README.md", await own("src/build/npm/README.md")],
    ["LICENSE", await own("LICENSE")],
    ["THIRD_PARTY_LICENSES", encoder.encode(await thirdPartyLicences(script.inputs))],
    ["model.onnx", model],
    ...script.files,
    ...[...workerd.files].map(([path, bytes]) => [`workerd/${path}`, bytes] as const),
    ...[...await declarations()].map(([path, text]) =>
      [`types/${path}`, encoder.encode(text)] as const
    ),
  ]);
}
