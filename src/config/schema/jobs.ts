import { labels, list } from "./lists.ts";
import { isHostOrNetwork } from "./networks.ts";
import { bytes, decimal, duration, perMinute, wholeNumber } from "./numbers.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const VARIABLE = { pattern: /^[A-Za-z_][A-Za-z0-9_]*$/, rule: "names of environment variables" };
const SECRET = { pattern: /^[A-Z_][A-Z0-9_]*$/, rule: "names of environment variables in capitals" };

/** How workers run jobs. */
export const WORKER = {
  "worker.concurrency": wholeNumber({
    default: 5,
    min: 1,
    max: 100,
    aliases: ["hatchet.worker_concurrency"],
    flag: "--concurrency",
    description: "How many jobs one worker runs at once.",
  }),
  "worker.labels": labels({
    flag: "--label",
    description: "What this worker offers to jobs that require it, such as site=lab1.",
  }),
  "worker.grace": duration({
    default: "30s",
    description: "How long a worker that was told to stop lets its jobs finish.",
  }),
  "worker.kill_grace": duration({
    default: "5s",
    min: "0s",
    max: "5m",
    description: "How long a program that was told to end (TERM) has before it is killed (KILL).",
  }),
  "worker.lease": duration({
    default: "15s",
    max: "5m",
    description: "For how long a worker owns a job without a sign of life; it renews at a third of it.",
  }),
  "worker.tick": duration({
    default: "250ms",
    min: "10ms",
    max: "10s",
    description: "The latest that a worker notices work that is due.",
  }),
} as const;

/** The limits of jobs. */
export const JOB = {
  "job.timeout": duration({
    default: "10m",
    max: "24h",
    aliases: ["hatchet.job_timeout"],
    description: "Running time of one attempt where neither the job type nor the call says one.",
  }),
  "job.retry_max": wholeNumber({
    default: 3,
    min: 0,
    max: 10,
    aliases: ["hatchet.retry_max"],
    description: "Extra attempts after a failure, for job types of your own that say no number.",
  }),
  "job.retry_backoff": duration({
    default: "5s",
    aliases: ["hatchet.retry_backoff"],
    description: "The wait after the first failure.",
  }),
  "job.backoff_factor": decimal({
    default: 2,
    min: 1,
    max: 10,
    description: "By how much each further wait is longer.",
  }),
  "job.backoff_cap": duration({ default: "1h", max: "24h", description: "The longest wait between two attempts." }),
  "job.backoff_jitter": decimal({
    default: 0.2,
    min: 0,
    max: 1,
    description: "The share of each wait that is drawn at random.",
  }),
  "job.age": duration({
    default: "10m",
    min: "0s",
    max: "24h",
    description: "How much waiting is worth one step of priority.",
  }),
  "job.crashes_max": wholeNumber({
    default: 3,
    min: 0,
    max: 100,
    description: "How often a job's worker may die under it before the job fails.",
  }),
  "job.queued_max": wholeNumber({
    default: undefined,
    min: 1,
    max: 10_000_000,
    example: 10_000,
    description: "How many jobs of one type may wait; one more is refused with QUEUE_FULL.",
  }),
  "job.inline_bytes": bytes({
    default: 256 * KIB,
    min: 0,
    max: 16 * MIB,
    description: "Up to here an input or a result stands in the database; above, in a file of its own.",
  }),
  "job.value_bytes": bytes({
    default: 64 * MIB,
    min: 1,
    max: GIB,
    description: "Above this an input or a result is refused with TOO_LARGE; at least job.inline_bytes.",
  }),
  "job.metadata_pairs": wholeNumber({
    default: 32,
    min: 0,
    max: 1_000,
    description: "Metadata pairs of one job, each a name of up to 128 and a text of up to 512 bytes.",
  }),
  "job.depth_max": wholeNumber({
    default: 100,
    min: 0,
    max: 10_000,
    description: "How many unfinished ancestors a job may have; one more is refused with LIMIT_REACHED.",
  }),
  "job.spawn_rate": perMinute({
    default: 100,
    min: 0,
    max: 100_000,
    description:
      "How many jobs the descendants of one first job may create in a minute, against loops. What the first job makes itself counts only when it was started again by continueAs and does not wait for it.",
  }),
  "job.adopt_wait": duration({
    default: "10m",
    min: "0s",
    max: "24h",
    description: "For how long workers elsewhere leave a running program to the machine that it runs on.",
  }),
  "output.kept_bytes": bytes({
    default: GIB,
    min: 1,
    max: 1024 * GIB,
    description: "How much of each output stream is kept; the rest is cut with a mark.",
  }),
  "output.tail_bytes": bytes({
    default: 64 * KIB,
    min: 1,
    max: 64 * MIB,
    description: "How much of the end of a stream is held in memory.",
  }),
  "history.rows_max": wholeNumber({
    default: 1_000,
    min: 0,
    max: 1_000_000,
    description: "Unusual events kept for one job; further ones are counted.",
  }),
} as const;

/** What the built-in job types may touch. */
export const BUILT_IN_TYPES = {
  "exec.env": list({
    ...VARIABLE,
    default: ["PATH", "HOME", "LANG", "TZ"],
    description: "Environment variables that a program receives.",
  }),
  "exec.secrets": list({ ...SECRET, default: [], description: "Secrets that exec may resolve." }),
  "exec.uid": wholeNumber({
    default: undefined,
    min: 0,
    max: 4_294_967_294,
    example: 1_000,
    description: "The numeric user that programs run as; needs root.",
  }),
  "http_request.allow": list({
    default: [],
    pattern: { test: isHostOrNetwork },
    rule: "host names, addresses or CIDRs",
    description: "Private hosts and networks that http.request may reach.",
  }),
  "http_request.secrets": list({ ...SECRET, default: [], description: "Secrets that http.request may resolve." }),
  "http_request.body_bytes": bytes({
    default: 64 * MIB,
    min: 1,
    max: GIB,
    description: "The largest response that http.request keeps.",
  }),
} as const;
