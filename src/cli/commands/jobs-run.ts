import { enqueueJob } from "../../operations/jobs/enqueue.ts";
import type { Command } from "../command.ts";
import { commandOf } from "../operation-command.ts";
import { enqueueOne } from "./enqueue.ts";
import { WATCH_FLAGS } from "./watch-flags.ts";

/** `jobs run`: what `jobs enqueue --watch` was called once. */
export const jobsRun: Command = {
  ...commandOf(enqueueJob, {
    flags: WATCH_FLAGS,
    run(call, action) {
      call.log.warn(
        "jobs.run",
        "jobs run is deprecated; use jobs enqueue --watch, or run to execute it in this process",
      );
      return enqueueOne({ ...call, values: new Map([...call.values, ["watch", true]]) }, action);
    },
  }),
  name: "jobs run",
  summary: "Deprecated: jobs enqueue --watch.",
};
