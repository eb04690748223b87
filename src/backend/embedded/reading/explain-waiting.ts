import type { ApprovalTerms } from "../../../approval/approval.ts";
import { readJson } from "../../../database/connection.ts";
import { formatDuration } from "../../../duration.ts";
import type { JobNumber } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import { type Standing, standingOf, stateOfStanding } from "../rows/standing.ts";
import type { ReadParts } from "./status.ts";

/** What an open call of a run waits for. */
export interface OpenWait {
  readonly position: number;
  readonly kind: "sleep" | "event" | "child" | "approval";
  readonly due: number | null;
  readonly event: string | null;
  readonly match: Readonly<Record<string, unknown>>;
  readonly child: JobNumber | null;
  readonly approval: string | null;
}

/** The open calls of a run, in order. */
export function readWaits({ db }: Pick<ReadParts, "db">, job: JobNumber, run: number): OpenWait[] {
  return db
    .all<{
      position: number;
      due: number | null;
      event: string | null;
      shape: string | null;
      key: string | null;
      child: number | null;
      approval: string | null;
    }>(
      "SELECT position, due, event, shape, key, child, approval FROM wait WHERE job = ? AND run = ? ORDER BY position",
      job,
      run,
    )
    .map(({ position, due, event, shape, key, child, approval }) => ({
      position,
      kind: approval !== null ? "approval" : child !== null ? "child" : event !== null ? "event" : "sleep",
      due,
      event,
      match: event === null ? {} : matchOf(shape ?? "[]", key ?? "[]"),
      child,
      approval,
    }));
}

function matchOf(shape: string, key: string): Readonly<Record<string, unknown>> {
  const values = JSON.parse(key) as readonly unknown[];
  return Object.fromEntries((JSON.parse(shape) as readonly string[]).map((path, index) => [path, values[index]]));
}

/** Calls of one sentence; a run of `ctx.all` may have a thousand. */
const SHOWN = 3;

/** Says what a suspended run waits for. */
export function explainWaiting(
  parts: ReadParts,
  job: JobNumber,
  { run, woken }: Extract<Standing, { kind: "waiting" }>,
  nowMs: number,
): readonly [reason: string, sentence: string] {
  if (woken !== null) return ["slot", "What it waited for has come; it goes on as soon as a worker has a free slot."];
  const waits = readWaits(parts, job, run);
  const [first] = waits;
  const texts = waits.slice(0, SHOWN).map((wait) => explainWait(parts, wait, nowMs));
  const more = waits.length > SHOWN ? `, and for ${waits.length - SHOWN} more` : "";
  return [first?.kind ?? "waiting", `It waits ${texts.join(", ")}${more}.`];
}

function explainWait(parts: ReadParts, wait: OpenWait, nowMs: number): string {
  const { position, kind, due, event, match, child, approval } = wait;
  const at = `(position ${position})`;
  switch (kind) {
    case "sleep":
      return `until ${timeIn(due ?? nowMs, nowMs)} ${at}`;
    case "event": {
      const matching = Object.keys(match).length === 0 ? "" : ` with ${JSON.stringify(match)}`;
      const until = due === null ? "" : `, until ${timeIn(due, nowMs)} at the latest`;
      return `for the event ${event}${matching}${until} ${at}`;
    }
    case "approval":
      return explainApproval(parts, approval ?? "", position, nowMs);
    case "child":
      return `for ${childText(parts, child ?? -1)} ${at}`;
  }
}

function explainApproval({ db }: ReadParts, id: string, position: number, nowMs: number): string {
  const row = db.get<{ terms: string; expires: number }>("SELECT terms, expires FROM approval WHERE id = ?", id);
  if (row === undefined) return "for an approval that is gone";
  const { approvers, quorum } = readJson<ApprovalTerms>(row.terms, `approval ${id}`);
  const whose = approvers.length === 0 ? "any approver of the policy" : approvers.join(quorum > 1 ? ", " : " or ");
  const by = quorum > 1 ? `${quorum} of ${whose}` : whose;
  const at = position === 0 ? "" : ` (position ${position})`;
  return `for an approval (${id}) by ${by} until ${timeIn(row.expires, nowMs)}${at}: windlass approvals show ${id}`;
}

function timeIn(atMs: number, nowMs: number): string {
  const time = new Date(atMs).toISOString();
  if (atMs < nowMs) return `${time}, which is over (the next worker sees to that)`;
  return `${time} (in ${formatDuration(Math.ceil((atMs - nowMs) / 1_000) * 1_000)})`;
}

function childText({ db, numbers, interned }: ReadParts, child: JobNumber): string {
  const job = readJob(db, child);
  if (job === undefined) return "a job that is gone";
  const state = stateOfStanding(standingOf(db, job));
  return `its child ${numbers.idOf(child)} (${interned.queue(db, job.queue).type}, ${state})`;
}
