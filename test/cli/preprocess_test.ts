import { assertEquals, assertStringIncludes } from "@std/assert";
import { readSafetensors } from "../../src/checkpoint/safetensors.ts";
import { preprocess } from "../../src/cli/preprocess.ts";
import { readGolden } from "../golden/golden.ts";
import { run, TempFolder } from "./run.ts";

const golden = readGolden("decoded.safetensors");
const png = golden.get("png_rgb.file")!.data as Uint8Array;

Deno.test("preprocess writes pixel_values and, when asked, the decoded pixels", async () => {
  using folder = new TempFolder();
  const image = folder.write("image.png", png);
  const out = `${folder.path}/out.safetensors`;
  assertEquals(await run(preprocess, [image, "--out", out]), { code: 0, stdout: "", stderr: "" });
  const plain = readSafetensors(Deno.readFileSync(out));
  assertEquals([...plain.keys()], ["pixel_values"]);
  assertEquals(plain.get("pixel_values")?.shape, [1, 3, 32, 32]);

  await run(preprocess, [image, "--out", out, "--with-decoded"]);
  const both = readSafetensors(Deno.readFileSync(out));
  assertEquals(both.get("pixel_values"), plain.get("pixel_values"));
  assertEquals(both.get("decoded")?.shape, [31, 45, 3]);
  assertEquals(both.get("decoded")?.data, golden.get("png_rgb.decoded")?.data);
});

Deno.test("preprocess fails with one line", async () => {
  using folder = new TempFolder();
  const image = folder.write("image.png", png);
  const out = `${folder.path}/out.safetensors`;
  const cases: [string[], number, string][] = [
    [["--out", out], 2, "expected one image, got 0"],
    [[image, image, "--out", out], 2, "expected one image, got 2"],
    [[image], 2, "--out is missing"],
    [[folder.write("text.png", "text"), "--out", out], 1, "text.png: Cannot decode the image"],
    [[folder.path, "--out", out], 1, "it is a folder"],
    [[image, "--out", `${folder.path}/no/where`], 1, "its folder does not exist"],
  ];
  for (const [args, expected, message] of cases) {
    const { code, stderr } = await run(preprocess, args);
    assertEquals(code, expected, stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
    assertStringIncludes(stderr, message);
  }
});
