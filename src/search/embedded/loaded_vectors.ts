import { rowBytes, VectorScan } from "../scan/vector_scan.ts";
import { flatFileOf } from "./flat_vectors.ts";
import { readVectorsMeta, type VectorsMeta } from "./index_meta.ts";
import type { Database } from "./sqlite.ts";
import { VectorFile } from "./vector_file.ts";
import { bytesOfHalves, halvesOfBytes } from "../half_bytes.ts";

/** The vectors of an index in memory, ready to be searched. */
export class LoadedVectors {
  readonly #path: string;
  readonly #dimension: number;
  readonly #onDamage: (message: string) => void;
  #meta: VectorsMeta | undefined;
  #scan: VectorScan;
  #isLive: Uint8Array | undefined;

  /** @param onDamage called when the flat file does not have what the database says. */
  constructor(path: string, dimension: number, onDamage: (message: string) => void) {
    this.#path = path;
    this.#dimension = dimension;
    this.#onDamage = onDamage;
    this.#scan = new VectorScan(dimension);
  }

  /** The vectors; a row is a slot. */
  get scan(): VectorScan {
    return this.#scan;
  }

  /** By slot, 1 for those that are not dead; undefined if none is. */
  get isLive(): Uint8Array | undefined {
    return this.#isLive;
  }

  /** Brings the vectors up to date with the database, in a transaction of the caller's. */
  update(db: Database): void {
    const meta = readVectorsMeta(db);
    const old = this.#meta;
    if (old?.revision === meta.revision) return;
    const isLonger = old?.generation === meta.generation && old.slots <= meta.slots;
    if (!this.#read(meta, isLonger ? old : { slots: 0, checksum: 0 })) {
      this.#onDamage(
        `${
          flatFileOf(this.#path, meta.generation)
        } is missing or damaged: the vectors are read from ` +
          `${this.#path}, which takes longer; \`deno task index\` writes the file anew`,
      );
      this.#readDatabase(db, meta);
    }
    const dead = db.prepare("select slot from dead_slot").all();
    this.#isLive = dead.length > 0 ? new Uint8Array(meta.slots).fill(1) : undefined;
    for (const { slot } of dead) this.#isLive![slot as number] = 0;
    this.#meta = meta;
  }

  /** Reads what the file has more than before; returns whether all is as the database says. */
  #read(
    { generation, slots, checksum }: VectorsMeta,
    from: Pick<VectorsMeta, "slots" | "checksum">,
  ): boolean {
    this.#scan.reserve(slots);
    const count = slots - from.slots;
    if (count > 0) {
      using file = VectorFile.open(flatFileOf(this.#path, generation), "read");
      const bytes = bytesOfHalves(this.#scan.rows(from.slots, count));
      const at = from.slots * rowBytes(this.#dimension);
      if (!file || file.read(bytes, at) < bytes.length) return false;
    }
    return (from.checksum + this.#scan.checksum(from.slots, count) >>> 0) === checksum;
  }

  #readDatabase(db: Database, { slots }: VectorsMeta): void {
    this.#scan.reserve(slots);
    const halves = this.#scan.rows(0, slots).fill(0);
    const size = rowBytes(this.#dimension) / 2;
    for (const { slot, data } of db.prepare("select slot, data from vector").iterate()) {
      halves.set(halvesOfBytes(data as Uint8Array), slot as number * size);
    }
  }
}
