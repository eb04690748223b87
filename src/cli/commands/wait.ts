import type { z } from "zod";
import { type waitForJobs, waitProblem } from "../../operations/jobs/wait.ts";
import type { Call } from "../command.ts";
import { LiveLine } from "../live-line.ts";
import type { Action, Overlay } from "../operation-command.ts";
import { warnGaveUp } from "./watch-to-end.ts";

/** `jobs wait`: a person sees that something is waited for. */
export const waitOverlay: Overlay = {
  async run(call, { input, perform, finish }) {
    if (!call.terminal.isPerson || call.globals.json) return finishWait(call, await perform(input), finish);
    const ids = input["ids"] as readonly string[];
    const output = await (async () => {
      using _ = new LiveLine(call.terminal, () => `waiting for ${ids.length === 1 ? ids[0] : `${ids.length} jobs`}`);
      return await perform(input);
    })();
    return finishWait(call, output, finish);
  },
};

function finishWait(call: Call, output: unknown, finish: Action["finish"]): number {
  for (const job of (output as z.output<typeof waitForJobs.output>).jobs) {
    const problem = waitProblem(job);
    if (problem?.code === "WAIT_TIMEOUT") warnGaveUp(call, job.job_id, problem);
  }
  return finish(output);
}
