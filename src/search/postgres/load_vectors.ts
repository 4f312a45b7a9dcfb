import { rowBytes, VectorScan } from "../scan/vector_scan.ts";
import type { IndexSchema } from "./index_schema.ts";
import type { SqlClient } from "./sql_client.ts";
import { halvesOfHex } from "./vector_text.ts";

/** Vectors of a statement. */
const PAGE = 2000;

/**
 * Reads the vectors of all contents that have an image into memory.
 *
 * @returns a row for each content, in the order of `keys`, their SHA-256 in hexadecimal.
 */
export async function loadVectors(
  client: SqlClient,
  schema: IndexSchema,
  dimension: number,
): Promise<{ scan: VectorScan; keys: string[] }> {
  const scan = new VectorScan(dimension);
  const halves = rowBytes(dimension) / 2;
  const keys: string[] = [];
  const [image, embedding] = [schema.table("image"), schema.table("embedding")];
  for (let last = "";; last = keys.at(-1)!) {
    const rows = await client.query(
      `select encode(sha256, 'hex') as key,
        encode(${schema.type("halfvec_send")}(vector), 'hex') as vector
      from ${embedding} embedding
      where sha256 > decode($1, 'hex') and exists
        (select 1 from ${image} image where image.sha256 = embedding.sha256)
      order by sha256 limit ${PAGE}`,
      [last],
    );
    const first = keys.length;
    scan.reserve(first + rows.length);
    const to = scan.rows(first, rows.length).fill(0);
    rows.forEach(({ key, vector }, r) => {
      keys.push(key as string);
      to.set(halvesOfHex(vector as string), r * halves);
    });
    if (rows.length < PAGE) return { scan, keys };
  }
}
