/** The limits of jobs that configuration sets. Times in milliseconds, sizes in bytes. */
export interface JobLimits {
  /** `job.timeout`: running time of one attempt where neither type nor call says one. */
  readonly timeoutMs: number;
  /** `job.retry_max`: extra attempts of a user's own type that says no number. */
  readonly retryMax: number;
  /** `job.retry_backoff`: the first wait after a failure. */
  readonly retryBackoffMs: number;
  readonly backoffFactor: number;
  readonly backoffCapMs: number;
  readonly backoffJitter: number;
  /** `job.age`: how much waiting is worth one step of priority. */
  readonly ageMs: number;
  readonly crashesMax: number;
  /** `job.queued_max`: queued and scheduled jobs of one type; absent: no limit. */
  readonly queuedMax?: number;
  /** Up to here a value stands in the database; above, in a file beside the artifacts. */
  readonly inlineBytes: number;
  /** Above this a value is refused. */
  readonly valueBytes: number;
  readonly metadataPairs: number;
  /** `job.depth_max`: unfinished ancestors of a job. */
  readonly depthMax: number;
  /** `job.spawn_rate`: jobs that the descendants of one first ancestor may make in a minute. */
  readonly spawnRate: number;
  readonly adoptWaitMs: number;
  /** `history.rows_max`: unusual events kept for one job; further ones are counted. */
  readonly historyRowsMax: number;
}

/** What holds when nothing is configured. */
export const DEFAULT_LIMITS: JobLimits = {
  timeoutMs: 600_000,
  retryMax: 3,
  retryBackoffMs: 5_000,
  backoffFactor: 2,
  backoffCapMs: 3_600_000,
  backoffJitter: 0.2,
  ageMs: 600_000,
  crashesMax: 3,
  inlineBytes: 262_144,
  valueBytes: 67_108_864,
  metadataPairs: 32,
  depthMax: 100,
  spawnRate: 100,
  adoptWaitMs: 600_000,
  historyRowsMax: 1_000,
};

/** Jobs that one attempt of a plain job may enqueue: as many as a durable run has positions. */
export const CHILDREN_MAX = 10_000;

/** The longest time that a call may ask for: 366 days. */
export const CALL_DURATION_MAX_MS = 366 * 86_400_000;
