import { parseDuration } from "../../duration.ts";
import { errorText, exitStatusOf } from "../../error.ts";
import { jobStatusLine, jobStatusOutput } from "../../operations/jobs/status-output.ts";
import { waitVerdict } from "../../operations/jobs/wait.ts";
import type { Windlass } from "../../windlass.ts";
import type { Call } from "../command.ts";
import type { Flag } from "../flag.ts";
import { renderJson, renderLines } from "../render.ts";
import { watchJob } from "../watch-job.ts";

/** Flags of commands that can follow a job to its end. */
export const WATCH_FLAGS: readonly Flag[] = [
  { name: "watch", kind: "boolean", description: "Follows the job to its end and exits with its verdict." },
  {
    name: "wait",
    kind: "text",
    placeholder: "DURATION",
    description: "With --watch: gives up after so long with status 4, while the job goes on.",
    default: "the job's timeout, from now on",
  },
];

/** True when the call asks to follow. @throws AppError `INVALID_DURATION` before anything is done. */
export function wantsWatch({ values }: Pick<Call, "values">): { readonly withinMs: number | undefined } | undefined {
  const wait = values.get("wait");
  const withinMs = wait === undefined ? undefined : parseDuration(String(wait), { what: "--wait" });
  return values.get("watch") === true || wait !== undefined ? { withinMs } : undefined;
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
