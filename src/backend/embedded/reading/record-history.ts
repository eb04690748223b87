import { readOutcome } from "../../../job/durable/outcome.ts";
import type { HistoryRow } from "../../../job/history.ts";
import { loadText } from "../files/stored-text.ts";
import type { JobRow } from "../rows/job-row.ts";
import { readWaits } from "./explain-waiting.ts";
import type { ReadParts } from "./status.ts";

interface RecordRow {
  readonly run: number;
  readonly position: number;
  readonly kind: string;
  readonly name: string;
  readonly at: number;
  readonly settled: number | null;
  readonly outcome: string | null;
}

/** The durable calls of a job, over all runs: what each came to, or what it waits for. */
export function recordHistory(parts: Pick<ReadParts, "db" | "numbers">, { id, env }: JobRow): HistoryRow[] {
  if (env.since === undefined) return [];
  const rows = parts.db.all<RecordRow>(
    "SELECT run, position, kind, name, at, settled, outcome FROM recorded WHERE job = ? ORDER BY run, position",
    id,
  );
  return rows.map((row) => {
    const { run: runNumber, position, kind, name, at, settled, outcome } = row;
    const call = { position, call: kind, ...(name === "" ? {} : { name }) };
    return outcome === null
      ? { runNumber, atMs: at, event: "call.issued", data: { ...call, ...waitsFor(parts, id, row) } }
      : { runNumber, atMs: settled ?? at, event: "call.recorded", data: { ...call, ...cameTo(outcome) } };
  });
}

/** Errors in full; values stand in the record, and may be large. */
function cameTo(stored: string): Readonly<Record<string, unknown>> {
  // A text in a file is a large value: an error is never that long.
  const outcome = stored.length > 10_000 || stored.startsWith('{"at":') ? undefined : readOutcome(loadText(stored));
  if (outcome?.kind === "error") return { error: outcome.error };
  return outcome?.kind === "timeout" ? { timed_out: true } : {};
}

function waitsFor(
  { db, numbers }: Pick<ReadParts, "db" | "numbers">,
  job: number,
  { run, position }: RecordRow,
): Readonly<Record<string, unknown>> {
  const wait = readWaits({ db }, job, run).find((open) => open.position === position);
  if (wait === undefined) return {};
  const { kind, due, event, match, child, approval } = wait;
  return {
    waits_for: kind,
    ...(event === null || Object.keys(match).length === 0 ? {} : { match }),
    ...(child === null ? {} : { child: numbers.idOf(child) }),
    ...(approval === null ? {} : { approval_id: approval }),
    ...(due === null ? {} : { until: new Date(due).toISOString() }),
  };
}
