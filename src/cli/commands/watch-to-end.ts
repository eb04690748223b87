import { errorText, exitStatusOf } from "../../error.ts";
import { jobStatusLine, jobStatusOutput } from "../../operations/jobs/status-output.ts";
import { waitProblem } from "../../operations/jobs/wait.ts";
import type { Verdict } from "../../operations/operation.ts";
import type { Windlass } from "../../windlass.ts";
import type { Call } from "../command.ts";
import { withVerdict } from "../operation-command.ts";
import { renderJson, renderLines } from "../render.ts";
import { watchJob } from "../watch-job.ts";

/** Says that the job goes on: its status alone does not tell why the command failed. */
export function warnGaveUp({ log, command }: Pick<Call, "log" | "command">, jobId: string, problem: Verdict): void {
  log.warn(command.replace(" ", "."), "gave up waiting", { job_id: jobId, err: errorText(problem) });
}

/** Follows a job to its end and prints it. @returns the exit status of its verdict; 4 when it goes on. */
export async function watchToEnd(
  { backend }: Pick<Windlass, "backend">,
  jobId: string,
  { withinMs, call }: { readonly withinMs: number | undefined; readonly call: Call },
): Promise<number> {
  const { terminal, globals, session } = call;
  const status = await watchJob(
    { backend, jobId, withinMs, silent: globals.json, signal: session.context().signal },
    call,
  );
  const output = jobStatusOutput(status);
  const problem = waitProblem(output);
  if (problem?.code === "WAIT_TIMEOUT") warnGaveUp(call, jobId, problem);
  terminal.out(
    globals.json ? renderJson(withVerdict(output, problem), terminal) : renderLines([jobStatusLine(output)], terminal),
  );
  return problem === undefined ? 0 : exitStatusOf(problem.code);
}
