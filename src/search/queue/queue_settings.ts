/** The queue of images to embed. */
export const INDEX_QUEUE = "index";

/** Where jobs go that failed again and again. */
export const DEAD_QUEUE = "dead";

/** The images of a job: a transaction costs about as much as one image's embedding. */
export const JOB_IMAGES = 32;

/** The seconds after its last heartbeat at which a job is taken from its worker: the least that pg-boss allows. */
export const HEARTBEAT_SECONDS = 10;

/** The seconds between a worker's heartbeats, and between its looks for jobs of lost workers. */
export const BEAT_SECONDS = 3;

const [DAY, YEAR] = [24 * 3600, 365 * 24 * 3600];

/** Settings of {@linkcode INDEX_QUEUE}, as pg-boss names them. */
export const INDEX_QUEUE_SETTINGS = {
  deadLetter: DEAD_QUEUE,
  heartbeatSeconds: HEARTBEAT_SECONDS,
  // Heartbeats tell whether a job's worker lives; this is the longest that pg-boss allows.
  expireInSeconds: DAY - 1,
  retryLimit: 4,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  // How long jobs wait for workers, at most.
  retentionSeconds: YEAR,
  deleteAfterSeconds: 3600,
} as const;

/** Settings of {@linkcode DEAD_QUEUE}, as pg-boss names them. */
export const DEAD_QUEUE_SETTINGS = { retentionSeconds: YEAR } as const;
