import { concat } from "@std/bytes/concat";
import { join } from "@std/path";
import { readWhole } from "../hub/read_whole.ts";

/** A SHA-256. */
const KEY_BYTES = 32;

/**
 * A cache of features, with a folder for each model. A file is a list of
 * records: an image's SHA-256 and its feature, float32 [D]. Each process appends to its own file,
 * so that processes do not interfere; an incomplete record is ignored. After a failed write, as on a full
 * disk, features are no longer kept.
 */
export class FeatureCache implements Disposable {
  readonly #folder: string;
  readonly #features: Map<string, Float32Array>;
  readonly #onWriteError: (error: unknown) => void;
  #file: Deno.FsFile | undefined;
  #isWritable = true;

  private constructor(
    folder: string,
    features: Map<string, Float32Array>,
    onWriteError: (error: unknown) => void,
  ) {
    this.#folder = folder;
    this.#features = features;
    this.#onWriteError = onWriteError;
  }

  /**
   * Opens the cache and reads its records.
   *
   * @param folder created if it is missing.
   * @param size D
   * @param onWriteError called once with the reason why features can no longer be kept.
   */
  static async open(
    folder: string,
    size: number,
    onWriteError: (error: unknown) => void,
  ): Promise<FeatureCache> {
    await Deno.mkdir(folder, { recursive: true });
    const features = new Map<string, Float32Array>();
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".features")) continue;
      const bytes = await readWhole(join(folder, name));
      const length = KEY_BYTES + 4 * size;
      for (let at = 0; at + length <= bytes.length; at += length) {
        const feature = new Float32Array(bytes.slice(at + KEY_BYTES, at + length).buffer);
        if (isFeature(feature)) features.set(bytes.subarray(at, at + KEY_BYTES).toHex(), feature);
      }
    }
    return new FeatureCache(folder, features, onWriteError);
  }

  /** @param key the image's SHA-256 in hexadecimal. */
  get(key: string): Float32Array | undefined {
    return this.#features.get(key);
  }

  /** Keeps a feature. Never throws: a feature that cannot be written is not kept. */
  add(key: string, feature: Float32Array): void {
    this.#features.set(key, feature);
    if (!this.#isWritable) return;
    try {
      this.#write(concat([Uint8Array.fromHex(key), new Uint8Array(feature.slice().buffer)]));
    } catch (error) {
      // A record after an incomplete one could not be read.
      this.#isWritable = false;
      this.#onWriteError(error);
    }
  }

  #write(record: Uint8Array): void {
    this.#file ??= Deno.openSync(join(this.#folder, `${crypto.randomUUID()}.features`), {
      write: true,
      createNew: true,
    });
    for (let rest = record; rest.length > 0;) rest = rest.subarray(this.#file.writeSync(rest));
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

/** Features have length 1; others are damaged. */
function isFeature(feature: Float32Array): boolean {
  const squares = feature.reduce((sum, x) => sum + x * x, 0);
  return squares === 0 || Math.abs(squares - 1) < 1e-3;
}
