import { assert, assertEquals } from "@std/assert";
import { decodedImages } from "../../src/dataset/decoded_images.ts";
import { decodeImage, readImageHeader } from "../../src/mod.ts";
import { readGolden } from "../golden/golden.ts";
import { TempFolder } from "../cli/run.ts";

const golden = readGolden("decoded.safetensors");
const png = golden.get("png_rgb.file")!.data as Uint8Array<ArrayBuffer>;
const jpeg = golden.get("jpeg_420.file")!.data as Uint8Array<ArrayBuffer>;

function noInput(): ReadableStream<Uint8Array> {
  return new ReadableStream();
}

for (const workers of [1, 2]) {
  Deno.test(`decodedImages keeps the order, with errors in it and ${workers} workers`, async () => {
    using folder = new TempFolder();
    const files = Array.from({ length: 150 }, (_, i) => {
      if (i % 10 === 7) return { file: `missing${i}.png` };
      if (i % 10 === 8) return { file: folder.write(`${i}.png`, "no image") };
      return { file: folder.write(`${i}.img`, i % 2 ? png : jpeg) };
    });
    const images = await Array.fromAsync(decodedImages(files, noInput(), { workers }));
    assertEquals(images.map(({ file }) => file), files.map(({ file }) => file));
    const expected = [await decodeImage(jpeg), await decodeImage(png)];
    for (const [i, { image, error }] of images.entries()) {
      if (i % 10 === 7) assertEquals(error, "no such file");
      else if (i % 10 === 8) assert(error?.includes("no image format known"));
      else assertEquals(image, expected[i % 2]);
    }
  });
}

Deno.test("decodedImages reads no further ahead than it may", async () => {
  using folder = new TempFolder();
  const files = Array.from({ length: 8 }, (_, i) => ({ file: folder.write(`${i}.png`, png) }));
  // There is room for one: the next is read when it is taken.
  const images = decodedImages(files, noInput(), { maxBytesAhead: 1 });
  assertEquals((await images.next()).value?.image?.width, (await decodeImage(png)).width);
  for (const { file } of files.slice(1)) Deno.removeSync(file);
  const rest = await Array.fromAsync(images);
  assertEquals(rest.map(({ error }) => error), Array(7).fill("no such file"));
});

Deno.test("decodedImages waits for standard input only when it is its turn", async () => {
  using folder = new TempFolder();
  const stdin = new TransformStream<Uint8Array, Uint8Array>();
  const files = [{ file: folder.write("a.png", png) }, { file: "-" }];
  const images = decodedImages(files, stdin.readable);
  assertEquals((await images.next()).value?.file, files[0]!.file);
  const writer = stdin.writable.getWriter();
  const [, last] = await Promise.all([
    writer.write(png).then(() => writer.close()),
    images.next(),
  ]);
  assertEquals(last.value?.image, await decodeImage(png));
  assert((await images.next()).done);
});

Deno.test("decodedImages ends its workers when nobody takes more", async () => {
  using folder = new TempFolder();
  const files = Array.from({ length: 20 }, (_, i) => ({ file: folder.write(`${i}.png`, png) }));
  for await (const { image } of decodedImages(files, noInput(), { workers: 2 })) {
    assert(image);
    break; // a worker that went on would fail this test
  }
});

/** Counts what is read of a file through views of its numbers, which the readers of headers make. */
class HeaderReads implements Disposable {
  count = 0;
  readonly #getUint32 = DataView.prototype.getUint32;
  readonly #getUint16 = DataView.prototype.getUint16;

  constructor() {
    const [getUint32, getUint16] = [this.#getUint32, this.#getUint16];
    const count = () => void this.count++;
    DataView.prototype.getUint32 = function (...args) {
      count();
      return getUint32.apply(this, args);
    };
    DataView.prototype.getUint16 = function (...args) {
      count();
      return getUint16.apply(this, args);
    };
  }

  [Symbol.dispose](): void {
    DataView.prototype.getUint32 = this.#getUint32;
    DataView.prototype.getUint16 = this.#getUint16;
  }
}

for (const name of ["png_rgb", "jpeg_420", "gif_offset"]) {
  Deno.test(`decodedImages reads the header of ${name} once`, async () => {
    using folder = new TempFolder();
    const bytes = golden.get(`${name}.file`)!.data as Uint8Array<ArrayBuffer>;
    const files = [{ file: folder.write(name, bytes) }];
    await decodeImage(bytes); // loads the decoder, which reads numbers of its WebAssembly
    using reads = new HeaderReads();
    readImageHeader(bytes);
    const once = reads.count;
    assert(once > 0);
    reads.count = 0;
    const [decoded] = await Array.fromAsync(decodedImages(files, noInput()));
    assertEquals(reads.count, once);
    assertEquals(decoded?.image, await decodeImage(bytes));
  });
}
