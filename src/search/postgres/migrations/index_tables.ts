/**
 * The tables of an index. `embedding` has a row for each content, with its vector of length 1. `image` has a row
 * for each path of a source: without `sha256`, and with `error`, if it could not be read. `seen` is the number of
 * the last run that listed it. Paths are sorted by their bytes, as everywhere.
 */
export const INDEX_TABLES = `
create table meta (key text primary key, value jsonb not null);
create sequence run;
create table source (
  id bigint generated always as identity primary key,
  name text not null unique
);
create table embedding (sha256 bytea primary key, vector halfvec not null);
-- Vectors lie in their rows, also long ones: every search reads many.
alter table embedding alter column vector set storage plain;
alter table embedding alter column vector set statistics 0;
create table image (
  path text collate "C" not null,
  source bigint not null references source (id),
  sha256 bytea references embedding (sha256),
  label text,
  size bigint not null,
  modified double precision,
  container text,
  start bigint,
  error text,
  seen bigint not null,
  primary key (path, source)
) with (fillfactor = 85); -- a run updates "seen" in place
create index image_sha256 on image (sha256);
create index image_label on image (label) where label is not null;
`;
