import { randomUUID } from "node:crypto";
import { initialEnvironment } from "./environment.ts";
import type { ProcessContext } from "./process-context.ts";
import { endProcesses, type MachineProcess, runningProcesses } from "./processes.ts";
import { startProgram } from "./start-program.ts";
import type { Machine } from "./state.ts";
import { type ScheduledTask, TASK_RESULT } from "./state-shapes.ts";

/** Where a task's own job and its host find each other. */
const TASK_JOB = "task-";

/** What came of asking for a start. */
export type TaskStart = "started" | "ignored" | "missing" | "disabled" | "not-logged-on";

/**
 * Starts a task now, as `schtasks /Run` does: returns at once, a process of the machine (the task's host) runs the action
 * and stays until it has ended. An interactive task whose user is not logged on does not start.
 */
export function startTask(machine: Machine, name: string, trigger: "demand" | "trigger" = "demand"): TaskStart {
  const task = machine.task(name);
  if (task === undefined) return "missing";
  if (task.state === "Disabled") return "disabled";
  if (taskIsRunning(machine, task)) {
    if (task.multipleInstances === "IgnoreNew") {
      machine.record("task.ignored", task.name);
      return "ignored";
    }
    if (task.multipleInstances === "StopExisting") endTask(machine, task.name);
  }
  const session = sessionFor(machine, task);
  if (session === undefined) {
    machine.changeTask(task.name, { lastResult: TASK_RESULT.notLoggedOn, lastRunAtMs: Date.now() }, "task.failed");
    return "not-logged-on";
  }
  const job = `${TASK_JOB}${randomUUID()}`;
  const context = { folder: machine.folder, job, session, user: task.user.replace(/^.*\\/, "") };
  // The host waits for the end of this with its first entry: it cannot say that the task has ended before it has started.
  machine.inTransaction(() => {
    const pid = startHost(machine, task.name, context);
    const change = { state: "Running", lastResult: TASK_RESULT.running, lastRunAtMs: Date.now(), pid } as const;
    machine.changeTask(task.name, change, "task.started", { trigger, session, job });
  });
  return "started";
}

/** Ends all that a task runs, as `schtasks /End` does; false when nothing ran. */
export function endTask(machine: Machine, name: string): boolean {
  const task = machine.task(name);
  if (task === undefined || !taskIsRunning(machine, task)) return false;
  endProcesses(taskProcesses(machine, task));
  const change = { state: "Ready", lastResult: TASK_RESULT.stoppedByUser, pid: null } as const;
  machine.changeTask(task.name, change, "task.stopped");
  return true;
}

/** The task as it is now: one whose host was killed from outside is no longer running. */
export function presentTask(machine: Machine, name: string): ScheduledTask | undefined {
  const task = machine.task(name);
  if (task === undefined || task.state !== "Running" || taskIsRunning(machine, task)) return task;
  machine.changeTask(name, { state: "Ready", lastResult: 1, pid: null }, "task.ended", { lastResult: 1 });
  return machine.task(name);
}

/** Starts every task with this trigger, as a start of the machine or a log-on would. */
export function fireTrigger(machine: Machine, kind: "AtStartup" | "AtLogOn"): void {
  for (const task of machine.tasks) {
    if (task.triggers.some((trigger) => trigger.kind === kind)) startTask(machine, task.name, "trigger");
  }
}

function taskIsRunning(machine: Machine, task: ScheduledTask): boolean {
  return task.pid !== null && taskProcesses(machine, task).some(({ pid }) => pid === task.pid);
}

/** The host of a task and all that shares its job. */
function taskProcesses(machine: Machine, task: ScheduledTask): readonly MachineProcess[] {
  const running = runningProcesses(machine.folder);
  const host = running.find(({ pid, job }) => pid === task.pid && job.startsWith(TASK_JOB));
  return host === undefined ? [] : running.filter(({ job }) => job === host.job);
}

/** `undefined` for a task that needs a desktop of its user where there is none; a disconnected one is one. */
function sessionFor(machine: Machine, task: ScheduledTask): number | undefined {
  if (task.logonType !== "Interactive") return 0;
  const own = (user: string): boolean => user.toLowerCase() === task.user.replace(/^.*\\/, "").toLowerCase();
  return machine.sessions.find(({ user, interactive }) => interactive && own(user))?.id;
}

function startHost(machine: Machine, name: string, context: ProcessContext): number {
  const environment = initialEnvironment(machine.settings, context.user);
  const host = startProgram({
    image: "C:\\Windows\\System32\\svchost.exe",
    commandLine: `svchost.exe ${name}`,
    cwd: "C:\\Windows\\System32",
    environment,
    context,
    stdio: "ignore",
    detached: true,
  });
  if (host.kind === "error") throw new Error(`the host of tasks: ${host.message}`);
  host.child.unref();
  return host.pid;
}
