import { presentTask, startTask } from "../../scheduled-tasks.ts";
import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ machine }, { name }) => {
  const before = presentTask(machine, String(name));
  if (before === undefined) return { exists: false, was_running: false, state: "", last_result: 0 };
  const wasRunning = before.state === "Running";
  if (!wasRunning) startTask(machine, before.name);
  const { state, lastResult } = presentTask(machine, before.name) ?? before;
  return { exists: true, was_running: wasRunning, state, last_result: lastResult };
};
