import type { JobRequest } from "../../backend/submit.ts";
import { isBlock } from "../../config/schema/lists.ts";
import { enqueueJob } from "../../operations/jobs/enqueue.ts";
import { toJobRequest } from "../../operations/jobs/request.ts";
import { readInput } from "../../operations/operation.ts";
import type { Call, Command } from "../command.ts";
import { presentationOf } from "../here/presentation.ts";
import { runHere } from "../here/run-here.ts";
import { showEnds } from "../here/show-ends.ts";
import { commandOf } from "../operation-command.ts";
import { typeFlags } from "../typed-input.ts";

const enqueue = commandOf(enqueueJob, {
  run: (call, { input }) => runOne(call, readInput({ ...enqueueJob, name: "run" }, input)),
});

/** `run`: enqueues one job, executes it in this process and follows it. */
export const run: Command = {
  ...enqueue,
  name: "run",
  summary: "Run a job in this process and follow it.",
  description:
    "The job is stored like any other, so limits, policy, history and artifacts apply. Its output passes through as it comes; the exit status is its verdict. Ctrl-C cancels it; a second one leaves at once.",
  words: [{ name: "type", flag: "type", isRequired: true }],
  settings: ["jobs", "label"],
  moreFlags: (early) => typeFlags(early, enqueue.flags, "word"),
};

async function runOne(call: Call, asked: Parameters<typeof toJobRequest>[0]): Promise<number> {
  const request = here(toJobRequest(asked, call.session.actor));
  const presentation = presentationOf(request.type);
  const statuses = await runHere(call, { requests: [request], presentation, op: "run" });
  return showEnds(call, statuses, { presentation, op: "run" });
}

/** A program that is run here runs in this folder, as from a shell. */
function here(request: JobRequest): JobRequest {
  const { type, input } = request;
  if (type !== "exec" || !isBlock(input) || "cwd" in input) return request;
  return { ...request, input: { ...input, cwd: process.cwd() } };
}
