import { vectorIndexSql } from "./build_vector_index.ts";
import { IndexSchema } from "./index_schema.ts";
import { migrationSql } from "./migrations.ts";

/**
 * The SQL that makes an index, for people who run it themselves, such as in a migration of Supabase: the tables,
 * and the HNSW index, which is built after the first images were indexed.
 *
 * @param name of the schema.
 * @param dimension the numbers of a vector.
 */
export function schemaSql(name: string, dimension: number): string {
  const schema = new IndexSchema(name);
  // Unqualified, as migrationSql sets the search path to where pgvector is.
  const statement = vectorIndexSql(schema, dimension).replaceAll('"public".', "");
  return `${migrationSql(schema)}
-- After the first images were indexed:
-- ${statement};
`;
}
