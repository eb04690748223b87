import { OPERATIONS } from "../operations/registry.ts";
import type { CommandEntry } from "./command.ts";
import { operationEntry } from "./entry.ts";
import type { Overlay } from "./operation-command.ts";

/** What the command line does with some operations beside calling them. */
const OVERLAYS: Readonly<Record<string, () => Promise<Overlay>>> = {
  "jobs.enqueue": async () => (await import("./commands/enqueue.ts")).enqueueOverlay,
  "jobs.status": async () => (await import("./commands/status.ts")).statusOverlay,
  "jobs.wait": async () => (await import("./commands/wait.ts")).waitOverlay,
  "jobs.logs": async () => (await import("./commands/logs.ts")).logsOverlay,
  "approvals.list": async () => (await import("./commands/approvals.ts")).listOverlay,
  "approvals.show": async () => (await import("./commands/approvals.ts")).showOverlay,
  "approvals.approve": async () => (await import("./commands/approvals.ts")).decisionOverlay,
  "approvals.reject": async () => (await import("./commands/approvals.ts")).decisionOverlay,
  "approvals.revoke": async () => (await import("./commands/approvals.ts")).decisionOverlay,
  "artifacts.open": async () => (await import("./commands/open.ts")).openOverlay,
  doctor: async () => (await import("./commands/doctor.ts")).doctorOverlay,
  "queue-metrics": async () => (await import("./commands/queue-metrics.ts")).queueMetricsOverlay,
  "supervisor.run": async () => (await import("./commands/supervisor-run.ts")).supervisorOverlay,
  "db.shell": async () => (await import("./commands/db-shell.ts")).dbShellOverlay,
};

/** Operations that are part of another command: `jobs enqueue --from-file`. */
const WITHIN: readonly string[] = ["jobs.enqueue-many"];

/** Commands that only a command line can have: they hold the terminal or run for long. */
const OWN: readonly CommandEntry[] = [
  {
    name: "run",
    summary: "Run a job in this process and follow it.",
    load: async () => (await import("./commands/run.ts")).run,
  },
  {
    name: "worker",
    summary: "Run jobs until told to stop.",
    load: async () => (await import("./commands/worker.ts")).worker,
  },
  {
    name: "windows exec",
    summary: "Run a command on Windows machines.",
    load: async () => (await import("./commands/direct/windows-exec.ts")).windowsExec,
  },
  {
    name: "aloha run",
    summary: "Give the agent on a Windows desktop a task, and follow it to its end.",
    load: async () => (await import("./commands/direct/aloha-run.ts")).alohaRun,
  },
  {
    name: "playwright run",
    summary: "Open a page in the browser of a Windows machine, and keep what it shows.",
    load: async () => (await import("./commands/direct/playwright-run.ts")).playwrightRun,
  },
  {
    name: "demo",
    summary: "Run real jobs, kill their worker in the middle, and check what came of it.",
    load: async () => (await import("./demo/demo-command.ts")).demoCommand,
  },
  {
    name: "jobs run",
    summary: "Deprecated: jobs enqueue --watch.",
    load: async () => (await import("./commands/jobs-run.ts")).jobsRun,
  },
  {
    name: "completion",
    summary: "Print the completion script of a shell.",
    load: async () => (await import("./commands/completion.ts")).completion,
  },
];

/** How many of these stand before the operations in the menu. */
const FIRST = OWN.findIndex(({ name }) => name === "demo");

/** Every command, in the order of the menu. */
export const COMMANDS: readonly CommandEntry[] = [
  ...OWN.slice(0, FIRST),
  ...OPERATIONS.filter(({ name }) => !WITHIN.includes(name)).map((entry) =>
    operationEntry(entry, OVERLAYS[entry.name]),
  ),
  ...OWN.slice(FIRST),
];
