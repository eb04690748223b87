import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, win32 } from "node:path";
import { VARIABLES } from "./process-context.ts";
import type { Machine } from "./state.ts";

/** A process as the machine sees it. */
export interface MachineProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** `node.exe` */
  readonly image: string;
  readonly commandLine: string;
  /** Windows session. */
  readonly session: number;
  readonly job: string;
  readonly memoryKb: number;
  /** False for what only seems to run (`explorer.exe`, `LogonUI.exe`): nobody can end it. */
  readonly isReal: boolean;
}

/** Programs of the real system in which machine programs run: their own name means nothing here. */
const CARRIERS = new Set([basename(process.execPath), "node", "dash", "sh", "bash", "env", "grep"]);

/** No real process has a number beyond 2^22 (`pid_max`). */
const UNREAL_PID = 5_000_000;

/** Only a process that hangs in the kernel takes longer. */
const END_WAIT_MS = 2_000;

/** All that really runs in the machine of this folder: whoever has its mark in its environment, whoever started it. */
export function runningProcesses(folder: string): readonly MachineProcess[] {
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids.flatMap((entry) => {
    const found = readProcess(Number(entry), folder);
    return found === undefined ? [] : [found];
  });
}

/** With what Windows itself runs: `explorer.exe` on every desktop, `LogonUI.exe` where one is locked or empty. */
export function processTable(machine: Machine): readonly MachineProcess[] {
  const desktops = machine.sessions.filter(({ interactive }) => interactive);
  const unreal = [
    { pid: 4, image: "System", session: 0 },
    { pid: UNREAL_PID, image: "services.exe", session: 0 },
    ...desktops.map(({ id }) => ({ pid: UNREAL_PID + id * 8, image: "explorer.exe", session: id })),
    ...desktops
      .filter(({ locked }) => locked)
      .map(({ id }) => ({ pid: UNREAL_PID + id * 8 + 4, image: "LogonUI.exe", session: id })),
    // Nobody at the console: the log-on screen stands there, in the console's own session.
    ...(desktops.length === 0 ? [{ pid: UNREAL_PID + 12, image: "LogonUI.exe", session: 1 }] : []),
  ];
  const more = { parentPid: 0, commandLine: "", job: "", memoryKb: 8_192, isReal: false };
  return [...unreal.map((process) => ({ ...process, ...more })), ...runningProcesses(machine.folder)];
}

/** A process and all whose parents lead to it, children last. */
export function treeOf(processes: readonly MachineProcess[], pid: number): readonly MachineProcess[] {
  const own = processes.filter((process) => process.pid === pid);
  const children = processes.filter((process) => process.parentPid === pid && process.pid !== pid);
  return [...own, ...children.flatMap((child) => treeOf(processes, child.pid))];
}

/** Ends processes and waits, blocking, until they hold nothing any more; one that has ended already is fine. */
export function endProcesses(processes: readonly { readonly pid: number }[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  const deadlineMs = Date.now() + END_WAIT_MS;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (processes.some(({ pid }) => hasMemory(pid)) && Date.now() < deadlineMs) Atomics.wait(pause, 0, 0, 1);
}

/** A process that is killed still stands in `/proc` for a moment, but loses its memory and with it its environment. */
function hasMemory(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`).length > 0;
  } catch {
    return false;
  }
}

function readProcess(pid: number, folder: string): MachineProcess | undefined {
  try {
    const environ = readFileSync(`/proc/${pid}/environ`, "utf8");
    if (!environ.includes(folder)) return undefined;
    const own = new Map(environ.split("\0").map((entry) => splitOnce(entry)));
    if (own.get(VARIABLES.root) !== folder || own.get(VARIABLES.image) === undefined) return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    return {
      pid,
      parentPid: Number(parent),
      image: imageOf(readlinkSync(`/proc/${pid}/exe`), own.get(VARIABLES.image) ?? ""),
      commandLine: words.at(-1) !== undefined && words.includes(MARK) ? (words.at(-1) ?? "") : words.join(" "),
      session: Number(own.get(VARIABLES.session) ?? 0),
      job: own.get(VARIABLES.job) ?? "",
      memoryKb: Number(rest[19] ?? 0) * 4,
      isReal: true,
    };
  } catch {
    // It has ended, or is another user's.
    return undefined;
  }
}

/** Stands before the raw command line in the arguments of `run-program.ts`. */
export const MARK = "--command-line";

function imageOf(executable: string, windowsImage: string): string {
  const name = basename(executable.replace(/ \(deleted\)$/, ""));
  return CARRIERS.has(name) ? win32.basename(windowsImage) : `${name}.exe`;
}

function splitOnce(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}
