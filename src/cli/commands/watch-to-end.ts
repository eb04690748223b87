import { errorText, exitStatusOf } from "../../error.ts";
import { jobStatusLine, jobStatusOutput } from "../../operations/jobs/status-output.ts";
import { waitVerdict } from "../../operations/jobs/wait.ts";
import type { Windlass } from "../../windlass.ts";
import type { Call } from "../command.ts";
import { renderJson, renderLines } from "../render.ts";
import { watchJob } from "../watch-job.ts";

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
  const code = waitVerdict(output);
  if (code === "WAIT_TIMEOUT") {
    const message = `job ${jobId} is ${output.state} and goes on; \`windlass jobs status ${jobId} --watch\` follows it further`;
    call.log.warn(call.command.replace(" ", "."), "gave up waiting", {
      job_id: jobId,
      err: errorText({ code, message }),
    });
  }
  terminal.out(
    globals.json
      ? renderJson(code === undefined ? output : { ...output, code }, terminal)
      : renderLines([jobStatusLine(output)], terminal),
  );
  return code === undefined ? 0 : exitStatusOf(code);
}
