import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { timedOut } from "../../../attempt/settle.ts";
import { systemClock } from "../../../clock.ts";
import { Connection } from "../../../database/connection.ts";
import { sqliteCode } from "../../../database/database-error.ts";
import { dropLock } from "../../../database/liveness.ts";
import type { Transaction } from "../../../database/writer.ts";
import { toErrorRecord } from "../../../error.ts";
import { endAttempt } from "../attempts/end-attempt.ts";
import { reclaim } from "../attempts/reclaim.ts";
import { loadClaim } from "../lease/claim.ts";
import { openLeases } from "../lease/lease.ts";
import { hasEffect } from "../rows/effect-row.ts";
import { addHistory } from "../rows/history-row.ts";
import { Interned } from "../rows/intern.ts";
import type { Notice } from "../rows/notice.ts";
import { closeWorker } from "../rows/worker-row.ts";
import { type SlotRow, Slots } from "../running/slots.ts";
import { Wake } from "../waking/wake.ts";
import type { HeartbeatData, HeartbeatMessage } from "./heartbeat.ts";

const data = workerData as HeartbeatData;
const db = Connection.open(data.databasePath);
const slots = new Slots(data.memory);
/** The thread looks this often; a third of the lease where that is shorter. */
const tickMs = Math.min(100, data.leaseMs / 3);
/** The main loop handles time-outs itself; only when it has not turned for this long is it taken to be blocked. */
const BLOCKED_MS = 500;
const TELL_MS = 1_000;

let beatAtMono = 0;
let toldAtMono = Number.NEGATIVE_INFINITY;
let beats = slots.beats;
let turnedAtMono = systemClock.monotonic();
let tickedAtMono = turnedAtMono;
const reported = new Set<string>();

const timer = setInterval(tick, tickMs);
parentPort?.on("message", stop);
tick();

function tick(): void {
  const now = systemClock.monotonic();
  // A thread that was itself stopped (SIGSTOP, a sleeping machine) first lets the main loop turn again.
  if (now - tickedAtMono > BLOCKED_MS) turnedAtMono = now;
  tickedAtMono = now;
  if (slots.beats !== beats) {
    beats = slots.beats;
    turnedAtMono = now;
  }
  const blocked = now - turnedAtMono > BLOCKED_MS;
  if (blocked) watchStuck(slots.overdue(now - data.killGraceMs));
  if (now - beatAtMono >= data.leaseMs / 3) renew(now);
}

/** One row for all leases of the process. Busy: the next tick tries again, well before the lease ends. */
function renew(now: number): void {
  try {
    db.run("UPDATE worker SET beat_mono = ? WHERE id = ?", now, data.workerId);
    beatAtMono = now;
  } catch (error) {
    if (sqliteCode(error) !== 5) tellProblem("the lease could not be renewed", error);
  }
}

function watchStuck(overdue: readonly SlotRow[]): void {
  if (overdue.length === 0) return;
  if (data.onStuck === "kill") endProcess(overdue);
  else for (const row of overdue) report(row);
}

function report(row: SlotRow): void {
  const name = `${row.job}/${row.run}/${row.attempt}`;
  if (reported.has(name)) return;
  if (!write((tx) => addHistory(tx, row, "handler.stuck", { attempt: row.attempt, pid: process.pid }))) return;
  reported.add(name);
  tell({ kind: "stuck", job: row.job, run: row.run, attempt: row.attempt });
}

/** Records why, gives the neighbours back, and ends this process: nothing less stops a synchronous loop. */
function endProcess(overdue: readonly SlotRow[]): void {
  const interned = new Interned();
  const recorded = write((tx) => {
    for (const row of overdue) endStuck(tx, interned, row);
    reclaim(tx, interned, data.workerId, "stuck");
    closeWorker(tx, data.workerId);
  });
  if (!recorded && systemClock.monotonic() - turnedAtMono < BLOCKED_MS + data.killGraceMs + 5_000) return;
  // Its row is closed, so nobody else will come by to clear this away.
  const { uuid } = db.get<{ uuid: string }>("SELECT uuid FROM worker WHERE id = ?", data.workerId) ?? { uuid: "" };
  if (recorded && uuid !== "") dropLock(data.databasePath, uuid);
  // A thread's process.stderr goes through the main thread, which will not turn again.
  writeSync(
    2,
    `windlass: a handler blocked the event loop beyond its timeout; worker ${data.workerId} (pid ${process.pid}) ends itself\n`,
  );
  process.kill(process.pid, "SIGKILL");
}

function endStuck(tx: Transaction<Notice>, interned: Interned, row: SlotRow): void {
  const lease = openLeases(tx.db, data.workerId).find(({ epoch }) => epoch === row.epoch);
  const leased = lease?.jobs.find(([job]) => job === row.job);
  if (lease === undefined || leased === undefined) return;
  const claim = loadClaim(tx.db, interned, lease, leased);
  // A program that runs beside the loop is not ended by ending this process; whoever adopts it ends it.
  if (claim === undefined || hasEffect(tx.db, row)) return;
  const others = lease.jobs.filter((other) => other !== leased);
  endAttempt(tx, {
    claim,
    end: timedOut(
      { timeoutMs: claim.rules.timeoutMs, afterCrash: claim.job.env.after_crash ?? "rerun" },
      row.byDeadline,
    ),
    worker: data.workerId,
    artifactRoot: data.artifactRoot,
    others: { count: others.length, list: () => others },
    random: Math.random(),
  });
}

/** One transaction of this thread's own; false when the database is busy. */
function write(action: (tx: Transaction<Notice>) => void): boolean {
  try {
    db.exec("PRAGMA synchronous=FULL; BEGIN IMMEDIATE");
    action({ db, nowMs: systemClock.now(), notify: () => undefined });
    db.exec("COMMIT; PRAGMA synchronous=NORMAL");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    if (sqliteCode(error) !== 5) tellProblem("a handler that blocks could not be recorded", error);
    return false;
  }
  for (const kind of ["work", "moved"] as const) {
    using wake = new Wake(data.databasePath, kind);
    wake.ring();
  }
  return true;
}

/** What stays wrong is tried at each tick and told once a second. */
function tellProblem(what: string, error: unknown): void {
  const now = systemClock.monotonic();
  if (now - toldAtMono < TELL_MS) return;
  toldAtMono = now;
  const { code, message } = toErrorRecord(error);
  tell({ kind: "problem", error: { code, message: `${what}: ${message}` } });
}

function tell(message: HeartbeatMessage): void {
  parentPort?.postMessage(message);
}

function stop(): void {
  clearInterval(timer);
  db.close();
  parentPort?.close();
}
