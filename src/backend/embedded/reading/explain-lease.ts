import { type Connection, readJson } from "../../../database/connection.ts";
import { isLockHeld } from "../../../database/liveness.ts";
import { formatDuration } from "../../../duration.ts";
import type { Standing } from "../rows/standing.ts";

/** What tells a worker that runs from one that is gone or stands still. */
export interface Bystander {
  readonly nowMs: number;
  readonly nowMono: number;
  /** The boot of this machine; monotonic times of another one mean nothing here. */
  readonly boot: () => string;
  /** Workers of this process: alive, for they are asked by themselves. */
  readonly own: ReadonlySet<string>;
}

interface LeaseWorker {
  readonly uuid: string;
  readonly host: string;
  readonly pid: number;
  readonly boot: string;
  readonly leaseMs: number;
  readonly beatMono: number;
}

/** What to type where no worker runs. Which types are the program's own this side does not know. */
export const START_ONE = "start one with `windlass worker`, for a type of your own with --jobs FILE";

/** Says of a job under a lease whether it runs, or whether its worker is gone and nobody has taken it back yet. */
export function explainLease(
  db: Connection,
  standing: Extract<Standing, { kind: "leased" }>,
  bystander: Bystander,
): readonly [reason: string, sentence: string] {
  const worker = db.get<LeaseWorker>(
    "SELECT uuid, host, pid, boot, lease_ms AS leaseMs, beat_mono AS beatMono FROM worker WHERE id = ?",
    standing.worker,
  );
  const ran = formatSeconds(bystander.nowMs - standing.at);
  const attempt = `attempt ${standing.attempt}`;
  if (worker === undefined) return ["lost", `The worker of its ${attempt} is gone; ${whoTakesIt(db)}.`];
  const name = `the worker with pid ${worker.pid} on ${worker.host}`;
  if (bystander.own.has(worker.uuid)) return ["running", `It runs now: ${attempt}, for ${ran}, in ${name}.`];
  if (!isLockHeld(db.path, worker.uuid))
    return ["lost", `It does not run: ${name} died in its ${attempt}; ${whoTakesIt(db, worker.uuid)}.`];
  const silentMs = bystander.nowMono - worker.beatMono;
  if (silentMs > worker.leaseMs && worker.boot === bystander.boot())
    return [
      "stalled",
      `It stands still: ${name} has not renewed its lease for ${formatSeconds(silentMs)}, so it is stopped or its machine sleeps; ${whoTakesIt(db, worker.uuid)}.`,
    ];
  return ["running", `It runs now: ${attempt}, for ${ran}, in ${name}.`];
}

/** Any live worker that claims takes back what another has lost, whatever types it serves. */
function whoTakesIt(db: Connection, lost = ""): string {
  const takers = db
    .all<{ uuid: string; types: string }>(
      "SELECT uuid, types FROM worker WHERE stopped IS NULL AND stopping IS NULL AND uuid <> ?",
      lost,
    )
    .filter(({ uuid, types }) => readJson<string[]>(types, "worker").length > 0 && isLockHeld(db.path, uuid));
  return takers.length > 0
    ? "a live worker is about to take it back"
    : `no worker runs that could take it back; ${START_ONE}`;
}

function formatSeconds(ms: number): string {
  return formatDuration(Math.max(0, Math.floor(ms / 1000) * 1000));
}
