import { basename, dirname } from "@std/path";
import { nodeBuiltin } from "../../host/node_builtin.ts";
import { rowBytes, VectorScan } from "../scan/vector_scan.ts";
import { readVectorsMeta, type VectorsMeta, writeVectorsMeta } from "./index_meta.ts";
import { type Database, inTransaction } from "./sqlite.ts";
import { VectorFile } from "./vector_file.ts";
import { bytesOfHalves, halvesOfBytes } from "../half_bytes.ts";

/** Rows that are checked or copied at a time. */
const ROWS = 4096;

/** The name of an index's flat file. */
export function flatFileOf(path: string, generation: number): string {
  return `${path}.${generation}.f16`;
}

/** Whether the flat file has what the database says. It is read in pieces. */
export function isFlatFileWhole(path: string, dimension: number, meta: VectorsMeta): boolean {
  if (meta.slots === 0) return true;
  using file = VectorFile.open(flatFileOf(path, meta.generation), "read");
  const size = rowBytes(dimension);
  if (!file || file.size < meta.slots * size) return false;
  const scan = new VectorScan(dimension);
  scan.reserve(Math.min(ROWS, meta.slots));
  let sum = 0;
  for (let slot = 0; slot < meta.slots; slot += ROWS) {
    const count = Math.min(ROWS, meta.slots - slot);
    if (file.read(bytesOfHalves(scan.rows(0, count)), slot * size) < count * size) return false;
    sum = sum + scan.checksum(0, count, slot) >>> 0;
  }
  return sum === meta.checksum;
}

/**
 * Writes the flat file anew, without dead slots, of what the database has. The old one is removed when
 * the database names the new one.
 */
export function rewriteFlatFile(path: string, dimension: number, db: Database): void {
  inTransaction(db, () => {
    const old = readVectorsMeta(db);
    const generation = old.generation + 1;
    const size = rowBytes(dimension);
    const scan = new VectorScan(dimension);
    scan.reserve(ROWS);
    const move = db.prepare("update vector set slot = ? where id = ?");
    const next = db.prepare(
      `select id, slot, data from vector where slot > ? order by slot limit ${ROWS}`,
    );
    let [slots, checksum, last] = [0, 0, -1];
    {
      using file = VectorFile.open(flatFileOf(path, generation), "write")!;
      for (let rows; (rows = next.all(last)).length > 0;) {
        last = rows.at(-1)!.slot as number;
        const halves = scan.rows(0, rows.length).fill(0);
        rows.forEach(({ id, slot, data }, r) => {
          halves.set(halvesOfBytes(data as Uint8Array), r * size / 2);
          if (slot !== slots + r) move.run(slots + r, id as number);
        });
        file.write(bytesOfHalves(halves), slots * size);
        checksum = checksum + scan.checksum(0, rows.length, slots) >>> 0;
        slots += rows.length;
      }
      file.sync();
    }
    db.exec("delete from dead_slot");
    writeVectorsMeta(db, { ...old, generation, slots, checksum });
  });
  removeOldFiles(path, readVectorsMeta(db).generation);
}

/** Removes flat files that the database does not name: an interrupted process has left them. */
export function removeOldFiles(path: string, generation: number): void {
  const fs = nodeBuiltin("node:fs")!;
  const name = basename(path);
  for (const entry of fs.readdirSync(dirname(path))) {
    const [, number] = entry.startsWith(`${name}.`)
      ? /^(\d+)\.f16$/.exec(entry.slice(name.length + 1)) ?? []
      : [];
    if (number !== undefined && Number(number) !== generation) {
      fs.rmSync(flatFileOf(path, Number(number)), { force: true });
    }
  }
}
