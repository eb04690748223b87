import { type Connection, readJson } from "../../../database/connection.ts";
import type { HistoryEvent, HistoryRow } from "../../../job/history.ts";
import { acceptedAtMs, type JobNumber } from "../rows/job-number.ts";
import { type JobRow, readJob } from "../rows/job-row.ts";
import { standingOf } from "../rows/standing.ts";
import { recordHistory } from "./record-history.ts";
import type { ReadParts } from "./status.ts";

/** The history of a job: the ordinary moves from the columns of the tables, the unusual events from their rows. */
export function readHistory(parts: Pick<ReadParts, "db" | "numbers">, number: JobNumber): HistoryRow[] {
  const { db } = parts;
  const job = readJob(db, number);
  if (job === undefined) return [];
  const stored = db
    .all<{ run: number; at: number; event: HistoryEvent; data: string }>(
      "SELECT run, at, event, data FROM history WHERE job = ? ORDER BY run, seq",
      number,
    )
    .map(
      ({ run, at, event, data }): HistoryRow => ({
        runNumber: run,
        atMs: at,
        event,
        data: readJson(data, `history of job ${number}`),
      }),
    );
  const first = firstMove(job, stored);
  // Stable, so that what happened in one commit keeps its order.
  return [first, ...stored, ...recordHistory(parts, job), ...ends(db, number), ...current(db, job)].sort(
    (a, b) => a.runNumber - b.runNumber || a.atMs - b.atMs,
  );
}

function firstMove(job: JobRow, stored: readonly HistoryRow[]): HistoryRow {
  const atMs = acceptedAtMs(job.id);
  // A replay writes a new due time and keeps the old one in its event.
  const due = Number(stored.find((row) => row.event === "run.started")?.data["due_before"] ?? job.due);
  // The id's time may be a millisecond ahead of the commit's when more than 4,096 jobs came in one.
  const scheduled = due > atMs + 1;
  return {
    runNumber: 1,
    atMs,
    event: scheduled ? "job.scheduled" : "job.queued",
    data: { ...(scheduled ? { due_at: due } : {}), ...slotOf(job), ...job.env.verdict },
  };
}

/** Why a schedule made it: the slot that it fills, and how many missed ones it stands for. */
function slotOf({ env }: JobRow): Readonly<Record<string, unknown>> {
  if (env.schedule === undefined) return {};
  return {
    schedule: env.schedule,
    ...(env.slot === undefined ? {} : { slot_at: env.slot }),
    missed_slots: env.missed ?? 0,
  };
}

function ends(db: Connection, number: JobNumber): HistoryRow[] {
  return db
    .all<{
      run: number;
      state: string;
      outcome: string | null;
      attempt: number;
      worker: number | null;
      claimed: number | null;
      finished: number;
      error: string | null;
    }>(
      "SELECT run, state, outcome, attempt, worker, claimed, finished, error FROM done WHERE job = ? ORDER BY run",
      number,
    )
    .flatMap(({ run, state, outcome, attempt, worker, claimed, finished, error }) => {
      const claimedRow: HistoryRow[] =
        claimed === null ? [] : [{ runNumber: run, atMs: claimed, event: "job.claimed", data: { attempt, worker } }];
      const data = {
        attempt,
        ...(outcome === null ? {} : { outcome }),
        ...(error === null ? {} : { error: readJson<unknown>(error, `job ${number}`) }),
      };
      return [...claimedRow, { runNumber: run, atMs: finished, event: `job.${state}` as HistoryEvent, data }];
    });
}

function current(db: Connection, job: JobRow): HistoryRow[] {
  const standing = standingOf(db, job);
  if (standing?.kind !== "leased") return [];
  return [
    {
      runNumber: standing.run,
      atMs: standing.at,
      event: "job.claimed",
      data: { attempt: standing.attempt, worker: standing.worker, epoch: standing.epoch },
    },
  ];
}
