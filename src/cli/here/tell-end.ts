import type { JobStatus } from "../../backend/reading.ts";
import { formatDuration } from "../../duration.ts";
import { exitStatusOf } from "../../error.ts";
import { type JobStatusOutput, jobStatusOutput, jobVerdict } from "../../operations/jobs/status-output.ts";
import type { Call } from "../command.ts";
import { withVerdict } from "../operation-command.ts";
import { neutralise, style } from "../terminal.ts";

/** The end of a job as JSON, with the facts of its presentation. */
export function endAsJson(status: JobStatus, facts: Readonly<Record<string, unknown>>): unknown {
  const output = jobStatusOutput(status);
  const code = jobVerdict(output);
  const verdict = code === undefined ? undefined : { code, message: `job ${output.job_id} is ${output.state}` };
  return withVerdict({ ...output, ...facts }, verdict);
}

/** Logs how a job ended. @returns the exit status that it stands for. */
export function tellEnd({ terminal, log }: Pick<Call, "terminal" | "log">, op: string, status: JobStatus): number {
  const output = jobStatusOutput(status);
  const code = jobVerdict(output);
  const { job_id, trace_id, state, outcome, error, attempt } = output;
  if (terminal.logsToPerson) tellPerson(output, op, { terminal, log });
  else {
    const fields = { job_id, trace_id, attempt, state: outcome ?? state };
    if (code === undefined) log.info(op, "job completed", fields);
    else log.error(op, "job did not complete", { ...fields, err: error ?? undefined });
  }
  return code === undefined ? 0 : exitStatusOf(code);
}

/** The end as a person reads it: how it went, and where to look further. */
function tellPerson(
  { job_id, state, error, attempt, started_at, ended_at }: JobStatusOutput,
  op: string,
  { terminal, log }: Pick<Call, "terminal" | "log">,
): void {
  if (state === "completed") {
    const ms = Date.parse(ended_at ?? "") - Date.parse(started_at ?? "");
    const took = Number.isFinite(ms) ? ` in ${formatDuration(Math.max(0, ms))}` : "";
    log.info(op, `job completed${took}`, { job_id, attempt: attempt > 1 ? attempt : undefined });
    return;
  }
  const [code = "", message = ""] = (error ?? `${state}: the job did not complete`).split(/: (.*)/s);
  terminal.error(`${style(terminal, "red", code)}: ${neutralise(message)}\n`);
  log.info(op, `job ${state}; \`windlass jobs logs ${job_id}\` tells what happened`);
}
