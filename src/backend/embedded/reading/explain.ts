import { readJson } from "../../../database/connection.ts";
import { isLockHeld } from "../../../database/liveness.ts";
import { formatDuration } from "../../../duration.ts";
import type { Explanation } from "../../reading.ts";
import { labelsCover } from "../rows/intern.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import { type Standing, standingOf, stateOfStanding } from "../rows/standing.ts";
import { type Bystander, explainLease, START_ONE } from "./explain-lease.ts";
import { explainWaiting } from "./explain-waiting.ts";
import { newestLook } from "./newest-look.ts";
import type { ReadParts } from "./status.ts";

/** Says in one sentence why a job is not running. */
export function explainJob(parts: ReadParts, number: JobNumber, bystander: Bystander): Explanation {
  const job = readJob(parts.db, number);
  const standing = job === undefined ? undefined : standingOf(parts.db, job);
  if (job === undefined || standing === undefined)
    return {
      state: "not_found",
      reason: "not_found",
      sentence: "There is no such job in this database; `windlass doctor` says which database it is.",
    };
  const state = stateOfStanding(standing);
  const [reason, sentence] = explain(parts, job, standing, bystander);
  return { state, reason, sentence };
}

type Explained = readonly [reason: string, sentence: string];

function explain(parts: ReadParts, job: JobRow, standing: Standing, bystander: Bystander): Explained {
  switch (standing.kind) {
    case "done":
      return [
        "finished",
        `It is not running because it has ended: ${standing.state}${standing.error === null ? "" : ` (${errorOf(standing.error)})`}; \`windlass jobs retry\` starts it over.`,
      ];
    case "leased":
      return explainLease(parts.db, standing, bystander);
    case "blocked":
      return ["key", `It waits for the key ${standing.key}, which ${holderText(parts, standing.key)}.`];
    case "delayed":
      return explainDelay(parts, job.id, standing, bystander.nowMs);
    case "waiting":
      return explainWaiting(parts, job.id, standing, bystander.nowMs);
    case "ready":
      return explainReady(parts, job);
  }
}

function explainDelay(
  { db }: ReadParts,
  job: JobNumber,
  standing: Extract<Standing, { kind: "delayed" }>,
  nowMs: number,
): Explained {
  const when = `${new Date(standing.due).toISOString()} (in ${formatDuration(Math.max(0, Math.ceil((standing.due - nowMs) / 1000) * 1000))})`;
  switch (standing.reason) {
    case "due":
      return ["future", `It is scheduled for ${when}.`];
    case "retry":
      return ["retry", `Attempt ${standing.attempt} failed; it is tried again at ${when}.`];
    case "rate":
      return ["rate", `Its rate limit is used up; it may start at ${when}.`];
    case "adopt":
      return [
        "adopt",
        "Its program was started on another machine, which may still be running it; a worker there adopts it, or any worker decides when job.adopt_wait has passed.",
      ];
    case "verify": {
      const why =
        newestLook(db, { job, run: standing.run })?.data.error.message ??
        "what people signed for it could not be verified";
      return ["verify", `It is held back and nothing is lost: ${why}; a worker looks again at ${when}.`];
    }
  }
}

function explainReady(parts: ReadParts, job: JobRow): Explained {
  const { db, interned } = parts;
  const { type, requires } = interned.queue(db, job.queue);
  const workers = db
    .all<{ uuid: string; types: string; labels: string; concurrency: number }>(
      "SELECT uuid, types, labels, concurrency FROM worker WHERE stopped IS NULL AND stopping IS NULL",
    )
    .filter(({ uuid }) => isLockHeld(db.path, uuid));
  if (workers.length === 0) return ["no_worker", `No worker is running; ${START_ONE}.`];
  const serving = workers.filter(({ types }) => readJson<string[]>(types, "worker").includes(type));
  if (serving.length === 0)
    return [
      "no_worker",
      `No live worker serves the type ${type} (${workers.length} serve others); start one that does with \`windlass worker --jobs FILE\`.`,
    ];
  const matching = serving.filter(({ labels }) =>
    labelsCover(readJson<Record<string, string>>(labels, "worker"), requires),
  );
  if (matching.length === 0) {
    const wanted = Object.entries(requires).map(([name, value]) => `${name}=${value}`);
    return [
      "labels",
      `No live worker of ${type} has the labels ${wanted.join(", ")}; start one with ${wanted.map((label) => `--label ${label}`).join(" ")}.`,
    ];
  }
  const ahead =
    db.get<{ n: number }>(
      "SELECT count(*) AS n FROM (SELECT 1 FROM ready WHERE queue = ? AND (rank, job) < (?, ?) LIMIT 100000)",
      job.queue,
      job.rank,
      job.id,
    )?.n ?? 0;
  const slots = matching.reduce((sum, worker) => sum + worker.concurrency, 0);
  return [
    "slot",
    `It waits for a free slot: ${ahead} jobs of ${type} are ahead of it and the live workers have ${slots} slots.`,
  ];
}

function holderText({ db, numbers }: ReadParts, key: string): string {
  const holders = db
    .all<{ job: number }>("SELECT job FROM holder WHERE key = ? LIMIT 3", key)
    .map(({ job }) => numbers.idOf(job));
  return holders.length === 0 ? "is about to be free" : `is held by ${holders.join(", ")}`;
}

function errorOf(text: string): string {
  const { code, message } = readJson<{ code: string; message: string }>(text, "error");
  return `${code}: ${message}`;
}
