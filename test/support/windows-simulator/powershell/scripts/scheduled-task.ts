import { presentTask } from "../../scheduled-tasks.ts";
import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ machine }, { name }) => {
  const task = presentTask(machine, String(name));
  if (task === undefined) return { exists: false };
  return {
    exists: true,
    state: task.state,
    last_result: task.lastResult,
    last_run_at: task.lastRunAtMs === null ? null : new Date(task.lastRunAtMs).toISOString(),
    user: task.user,
    logon_type: task.logonType,
    execute: task.execute,
    arguments: task.arguments,
    execution_time_limit: task.executionTimeLimit,
  };
};
