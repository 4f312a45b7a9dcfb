import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PbfReader } from "pbf";
import { handlerOptions } from "../../functions/_shared/handler_options.ts";
import { readSettings } from "../../functions/_shared/settings.ts";
import { build } from "../../src/cli/build.ts";
import { classify } from "../../src/cli/classify.ts";
import { fit } from "../../src/cli/fit.ts";
import { serve } from "../../src/cli/serve.ts";
import { run, TempFolder } from "./run.ts";

/** The sizes of the ONNX files that are parsed while something is done, in order. */
async function parsedWhile(work: () => Promise<void>): Promise<number[]> {
  const sizes: number[] = [];
  const { readFields } = PbfReader.prototype;
  PbfReader.prototype.readFields = function <T>(...args: Parameters<typeof readFields<T>>): T {
    // Messages inside of a file begin behind its first byte.
    if (this.pos === 0) sizes.push(this.buf.length);
    return (readFields<T>).apply(this, args);
  };
  try {
    await work();
  } finally {
    PbfReader.prototype.readFields = readFields;
  }
  return sizes;
}

const model = "functions/_shared/model.onnx";
const modelSize = Deno.statSync(model).size;
const ship = "test/images/ship.jpg";

const succeeds = async (command: Parameters<typeof run>[0], args: string[]) => {
  const { code, stderr } = await run(command, args);
  assertEquals(code, 0, stderr);
};

/** A table of photos of two classes. */
function table(folder: TempFolder): string {
  const rows = ["airplane", "automobile", "ship", "bird", "deer", "dog"].map((name, i) =>
    `${Deno.realPathSync(`test/images/${name}.jpg`)},${i < 3 ? "machine" : "animal"}`
  );
  return folder.write("photos.csv", ["path,label", ...rows].join("\n"));
}

Deno.test("classify --model parses the file once, and --head its own once", async () => {
  using folder = new TempFolder();
  assertEquals(
    await parsedWhile(() => succeeds(classify, [ship, "--model", model])),
    [modelSize],
  );
  assertEquals(await parsedWhile(() => succeeds(classify, [ship])), [modelSize]);
  assertEquals(
    await parsedWhile(() => succeeds(classify, [ship, "--model", model, "--backend", "wasm"])),
    [modelSize],
  );
  const head = `${folder.path}/head.onnx`;
  await succeeds(fit, [table(folder), "--head-only", head, "--no-cache", "--method", "ridge"]);
  const sizes = await parsedWhile(() =>
    succeeds(classify, [ship, "--model", model, "--head", head])
  );
  assertEquals(sizes, [Deno.statSync(head).size, modelSize]);
});

Deno.test("fit parses the file once, whatever it writes", async () => {
  using folder = new TempFolder();
  const [out, head] = [`${folder.path}/out.onnx`, `${folder.path}/head.onnx`];
  const args = ["--model", model, "--no-cache", "--method", "ridge"];
  const sizes = await parsedWhile(() =>
    succeeds(fit, [table(folder), "--out", out, "--head-only", head, ...args])
  );
  assertEquals(sizes, [modelSize]);
});

Deno.test("serve parses the file once, and answers without parsing it again", async () => {
  const { addSignalListener, removeSignalListener } = Deno;
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  probe.close();
  let answered: Promise<void> | undefined;
  // `serve` listens once it waits for the signal that ends it.
  Deno.addSignalListener = (_signal, stop) => {
    answered ??= (async () => {
      const response = await fetch(`http://127.0.0.1:${port}/classify`, {
        method: "POST",
        headers: { "content-type": "image/jpeg" },
        body: Deno.readFileSync(ship),
      });
      const text = await response.text();
      stop();
      assertStringIncludes(text, "ship");
    })();
  };
  Deno.removeSignalListener = () => {};
  try {
    const args = ["--model", model, "--port", String(port), "--threads", "1", "--quiet"];
    assertEquals(await parsedWhile(() => succeeds(serve, args)), [modelSize]);
    assert(answered);
    await answered;
  } finally {
    Object.assign(Deno, { addSignalListener, removeSignalListener });
  }
});

Deno.test("a function parses its model once", async () => {
  const base = import.meta.resolve("../../functions/_shared/");
  const settings = readSettings({ get: () => undefined }, base);
  const sizes = await parsedWhile(async () => {
    const options = handlerOptions(settings);
    const served = await (options.model as () => Promise<{ model: AsyncDisposable }>)();
    await served.model[Symbol.asyncDispose]();
  });
  assertEquals(sizes, [modelSize]);
});

Deno.test("build parses the file of --model once", async () => {
  using folder = new TempFolder();
  const other = folder.write("other.onnx", Deno.readFileSync(model));
  // It ends after the model, at a folder that it must not overwrite.
  folder.write("dist/mine.txt", "mine");
  const sizes = await parsedWhile(async () => {
    const out = `${folder.path}/dist`;
    const { code, stderr } = await run(build, ["--model", other, "--out", out]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "dist");
  });
  assertEquals(sizes, [modelSize]);
});
