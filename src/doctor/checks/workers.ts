import { labelsCover } from "../../backend/embedded/rows/intern.ts";
import { type Connection, readJson } from "../../database/connection.ts";
import { formatDuration } from "../../duration.ts";
import { builtInTypes } from "../../job-type/registry.ts";
import type { OpenContext } from "../check.ts";
import { isStalled, type KnownWorker, knownWorkers } from "../known-workers.ts";
import { type Finding, ok, sayCount, warn } from "../model/finding.ts";

/** Counting stops here: "more than" is all that anybody needs to know. */
const COUNT_MAX = 10_000;

/** The processes that run jobs. */
export function workers({ db }: OpenContext): Finding {
  const known = knownWorkers(db);
  const live = known.filter(({ alive, types }) => alive && types.length > 0);
  const facts = {
    live: live.length,
    commands: known.filter(({ alive, types }) => alive && types.length === 0).length,
    dead: known.filter(({ alive }) => !alive).length,
    slots: live.reduce((sum, { concurrency }) => sum + concurrency, 0),
    pids: live.map(sayWorker).join(","),
  };
  if (live.length === 0) return ok("none runs; jobs wait until one does", facts);
  return ok(`${sayCount(live.length, "worker")} with ${sayCount(facts.slots, "slot")}: ${facts.pids}`, facts);
}

/** Rights to run jobs that nobody renews. */
export function leases({ db, clock, machine }: OpenContext): Finding {
  const known = knownWorkers(db);
  const total = db.get<{ n: number; oldest: number | null }>("SELECT count(*) AS n, min(at) AS oldest FROM lease");
  const dead = known.filter(({ alive, leases }) => !alive && leases > 0);
  const stalled = known.filter((worker) => worker.leases > 0 && isStalled(worker, machine, clock.monotonic()));
  const facts = {
    leases: total?.n ?? 0,
    oldest_ms: total?.oldest == null ? null : Math.max(0, clock.now() - total.oldest),
    of_dead_workers: sum(dead),
    expired: sum(stalled),
  };
  if (stalled.length > 0)
    return warn(
      `${stalled.map(sayWorker).join(", ")} holds ${sayCount(facts.expired, "lease")} and has not renewed for longer than they last`,
      "it is stopped or its machine sleeps: continue it (`kill -CONT PID`) or end it; another worker takes its jobs",
      facts,
    );
  const oldest = facts.oldest_ms === null ? "" : `, the oldest ${sayAge(facts.oldest_ms)} old`;
  if (dead.length === 0) return ok(`${sayCount(facts.leases, "lease")}${oldest}`, facts);
  const taker = known.some(({ alive, types }) => alive && types.length > 0);
  const detail = `${sayCount(facts.of_dead_workers, "lease")} of ${sayCount(dead.length, "worker")} that died`;
  return taker
    ? ok(`${detail}; a live worker is about to take them`, facts)
    : warn(`${detail}, and no worker runs to take them`, "start `windlass worker`", facts);
}

interface Unserved {
  readonly type: string;
  readonly requires: Readonly<Record<string, string>>;
  readonly count: number;
}

/** Jobs that wait for a worker that is not there. */
export function unservedJobs({ db, config, loaded, path }: OpenContext): Finding {
  const live = knownWorkers(db).filter(({ alive }) => alive);
  const waiting = waitingJobs(db);
  const unserved = waiting.filter(({ type, requires }) => !live.some((worker) => serves(worker, type, requires)));
  const jobs = unserved.reduce((total, { count }) => total + count, 0);
  if (unserved.length === 0) return ok("every waiting job has a worker", { types: 0, jobs: 0 });
  const builtIn = new Set(builtInTypes(config).map(({ name }) => name));
  // Another command finds the same database only where nobody had to name it.
  const named = loaded.origins.get("database.path")?.kind === "flag" ? ` --db ${path}` : "";
  return warn(
    `no live worker serves ${unserved.map(sayUnserved).join(", ")}`,
    [...new Set(unserved.map((one) => commandFor(one, builtIn) + named))].map((command) => `\`${command}\``).join("; "),
    { types: unserved.length, jobs, unserved: unserved.map(({ type }) => type).join(",") },
  );
}

function waitingJobs(db: Connection): Unserved[] {
  return db
    .all<{ id: number; type: string; requires: string }>("SELECT id, type, requires FROM queue ORDER BY type, requires")
    .map(({ id, type, requires }) => ({
      type,
      requires: readJson<Record<string, string>>(requires, `queue ${id}`),
      count: countWaiting(db, id),
    }))
    .filter(({ count }) => count > 0);
}

/** Due ones, and of those that become due the next ones, and durable ones that somebody must go on with. */
function countWaiting(db: Connection, queue: number): number {
  return (
    db.get<{ n: number }>(
      `SELECT (SELECT count(*) FROM (SELECT 1 FROM ready WHERE queue = ?1 LIMIT ${COUNT_MAX}))
         + (SELECT count(*) FROM (SELECT job FROM delayed ORDER BY due LIMIT ${COUNT_MAX}) d JOIN job j ON j.id = d.job WHERE j.queue = ?1)
         + (SELECT count(*) FROM (SELECT job FROM blocked LIMIT ${COUNT_MAX}) b JOIN job j ON j.id = b.job WHERE j.queue = ?1)
         + (SELECT count(*) FROM (SELECT job FROM waiting LIMIT ${COUNT_MAX}) w JOIN job j ON j.id = w.job WHERE j.queue = ?1) AS n`,
      queue,
    )?.n ?? 0
  );
}

function serves(worker: KnownWorker, type: string, requires: Readonly<Record<string, string>>): boolean {
  return worker.types.includes(type) && labelsCover(worker.labels, requires);
}

function sayUnserved({ type, requires, count }: Unserved): string {
  const labels = Object.entries(requires).map(([name, value]) => `${name}=${value}`);
  const where = labels.length === 0 ? "" : ` on a worker with ${labels.join(", ")}`;
  return `${type}${where} (${count >= COUNT_MAX ? `${COUNT_MAX} jobs or more` : sayCount(count, "job")})`;
}

function commandFor({ type, requires }: Unserved, builtIn: ReadonlySet<string>): string {
  const jobs = builtIn.has(type) ? "" : " --jobs FILE";
  const labels = Object.entries(requires).map(([name, value]) => ` --label ${name}=${value}`);
  return `windlass worker${jobs}${labels.join("")}`;
}

function sayWorker({ pid, host }: KnownWorker): string {
  return `${pid}@${host}`;
}

function sum(known: readonly KnownWorker[]): number {
  return known.reduce((total, { leases }) => total + leases, 0);
}

function sayAge(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000);
}
