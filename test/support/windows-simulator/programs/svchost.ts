import { setTimeout as wait } from "node:timers/promises";
import { findProgram, type Lookup } from "../executables.ts";
import type { Program } from "../program.ts";
import { startProgram } from "../start-program.ts";
import { type ScheduledTask, TASK_RESULT } from "../state-shapes.ts";

/** The host of one scheduled task: `svchost.exe TASK`. Runs the action, and again when it fails, as registered. */
export async function main(program: Program): Promise<number> {
  const name = program.rawArguments.trim();
  const { machine } = program;
  for (let restarts = 0; ; restarts++) {
    const task = machine.task(name);
    if (task === undefined) return 1;
    const { code, hasStarted } = await runAction(program, task);
    const hasFailed = !hasStarted || (code !== 0 && machine.settings.restartsTaskAfterExitCode);
    if (!hasFailed || restarts >= task.restartCount) {
      machine.changeTask(name, { state: "Ready", lastResult: code, pid: null }, "task.ended", { lastResult: code });
      return 0;
    }
    machine.record("task.restarting", name, {
      lastResult: code,
      restart: restarts + 1,
      interval: task.restartInterval,
    });
    await wait(machine.settings.restartIntervalShortenedToMs);
    machine.record("task.started", name, { trigger: "restart" });
  }
}

async function runAction(
  program: Program,
  task: ScheduledTask,
): Promise<{ readonly code: number; readonly hasStarted: boolean }> {
  const { environment, context } = program;
  const cwd = task.workingDirectory ?? program.cwd;
  const lookup: Lookup = { folder: context.folder, cwd, environment };
  const expanded = task.execute.replace(/%([^%]+)%/g, (text, variable: string) => environment.get(variable) ?? text);
  const image = findProgram(expanded.replaceAll('"', ""), lookup);
  if (image === undefined) return { code: TASK_RESULT.fileNotFound, hasStarted: false };
  const started = startProgram({
    image,
    commandLine: `"${image}"${task.arguments === "" ? "" : ` ${task.arguments}`}`,
    cwd,
    environment,
    context,
    // Nobody sees what it prints.
    stdio: "ignore",
  });
  if (started.kind === "error") return { code: started.code, hasStarted: false };
  return { code: await started.ended, hasStarted: true };
}
