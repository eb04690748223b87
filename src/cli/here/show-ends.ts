import type { JobStatus } from "../../backend/reading.ts";
import type { Pairs } from "../../logfmt.ts";
import type { Call } from "../command.ts";
import { renderJson, renderLines } from "../render.ts";
import type { Presentation } from "./presentation.ts";
import { endAsJson, tellEnd } from "./tell-end.ts";

/** How ends are shown. */
export interface ShowOptions {
  readonly presentation: Presentation;
  readonly op: string;
  /** What tells several jobs of one command apart, in the order of the jobs. */
  readonly labels?: readonly Pairs[];
}

/**
 * Prints what jobs that were run here came to: each fact of one job on a line of its own, of several jobs one line each.
 *
 * @returns the exit status: the worst of them.
 */
export async function showEnds(
  call: Call,
  statuses: readonly JobStatus[],
  { presentation, op, labels = [] }: ShowOptions,
): Promise<number> {
  const { session, terminal, globals } = call;
  const { backend, config } = await session.open("migrate", true);
  const ends = await Promise.all(
    statuses.map(async (status, index) => {
      const job = { status, artifacts: backend.artifacts, tailBytes: config.output.tailBytes };
      return { status, label: labels[index] ?? {}, facts: await presentation.facts(job) };
    }),
  );
  if (globals.json) {
    const values = ends.map(({ status, label, facts }) => endAsJson(status, { ...label, ...facts }));
    terminal.out(renderJson(labels.length === 0 ? values[0] : { jobs: values }, terminal));
  } else if (!globals.quiet) {
    const records = ends.flatMap(({ status, label, facts }) =>
      facts === undefined ? [] : [recordOf(status, label, facts)],
    );
    const isOne = labels.length === 0 && presentation.passes === "nothing" && !terminal.isPerson;
    const lines = isOne ? records.flatMap(splitRecord) : records;
    if (lines.length > 0) terminal.out(renderLines(lines, terminal));
  }
  return Math.max(...ends.map(({ status }) => tellEnd(call, op, status)));
}

function recordOf(
  { jobId: job_id, state, outcome }: JobStatus,
  label: Pairs,
  facts: Readonly<Record<string, unknown>>,
): Pairs {
  const { result, ...others } = facts;
  // The result of a type that this program does not know stands last, because it may be long.
  if (result !== undefined) return { ...label, job_id, state, outcome: outcome ?? undefined, result };
  return { ...label, ...others, state: outcome ?? state, job_id };
}

function splitRecord(record: Pairs): readonly Pairs[] {
  return Object.entries(record).map(([name, value]) => ({ [name]: value }));
}
