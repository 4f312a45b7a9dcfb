/** The table of a queue's workers: who works, how much each has done, and how fast it is now. */
export const WORKER_TABLE = `
create table worker (
  id text primary key,
  host text not null,
  started timestamptz not null default now(),
  seen timestamptz not null default now(),
  ended boolean not null default false,
  images bigint not null default 0,
  failed bigint not null default 0,
  rate double precision not null default 0 -- images a second
);
`;
