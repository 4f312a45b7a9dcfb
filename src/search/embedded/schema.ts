/** Marks a SQLite file as an index: "VMSN" in ASCII. */
export const APPLICATION_ID = 0x564d534e;

/** The version of {@linkcode SCHEMA}. */
export const INDEX_VERSION = 1;

/**
 * The tables of an index. `vector` has a row for each content; `data` is its vector, float16 [D], of which
 * the flat file has a copy at `slot`. `image` has a row for each path of a source. `seen` is the number of the
 * last run that listed it.
 */
export const SCHEMA = `
create table meta (key text primary key, value) without rowid;
create table source (id integer primary key, name text not null unique);
create table vector (
  id integer primary key,
  sha256 blob not null unique,
  slot integer not null unique,
  data blob not null
);
create table dead_slot (slot integer primary key);
create table image (
  source integer not null references source (id),
  path text not null,
  vector integer not null references vector (id),
  label text,
  size integer not null,
  modified real,
  container text,
  start integer,
  seen integer not null,
  primary key (source, path)
) without rowid;
create index image_vector on image (vector);
create index image_label on image (label) where label is not null;
pragma application_id = ${APPLICATION_ID};
pragma user_version = ${INDEX_VERSION};
`;
