import { execFileSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";

/** What the system says of one process. */
export interface ProcessFacts {
  readonly pid: number;
  /** True for a zombie: it has ended, and only its parent has not asked yet. */
  readonly ended: boolean;
  readonly group: number;
  readonly session: number;
  /** When it started, as the system writes it: two processes that had the same number differ in it. */
  readonly startTime: string;
}

/** Where facts about processes come from. */
export interface ProcessTable {
  read(pid: number): ProcessFacts | undefined;
  /** The first 4 KiB of its arguments; empty when it has ended. */
  command(pid: number): string;
  /** The live processes of a session or process group, zombies left out. */
  members(session: number): readonly ProcessFacts[];
}

const COMMAND_BYTES = 4096;

/** Linux: `/proc`. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export const procTable: ProcessTable = {
  read(pid) {
    try {
      return parseStat(pid, readFileSync(`/proc/${pid}/stat`, "latin1"));
    } catch {
      return undefined;
    }
  },
  command(pid) {
    try {
      return readStart(`/proc/${pid}/cmdline`);
    } catch {
      return "";
    }
  },
  members(session) {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => procTable.read(Number(name)) ?? [])
      .filter((facts) => isMember(facts, session));
  },
};

const FACTS = ["pid", "pgid", "stat", "lstart"];

/** Systems without `/proc`, such as macOS: `ps`. It does not tell sessions, so a group stands for its session. */
export const psTable: ProcessTable = {
  read: (pid) => ps(FACTS, ["-p", String(pid)]).flatMap((line) => parseLine(line) ?? [])[0],
  command: (pid) => (ps(["command"], ["-p", String(pid)])[0] ?? "").slice(0, COMMAND_BYTES),
  members: (session) =>
    ps(FACTS, ["-A"])
      .flatMap((line) => parseLine(line) ?? [])
      .filter((facts) => isMember(facts, session)),
};

let chosen: ProcessTable | undefined;

/** The table of this system. */
export function processTable(): ProcessTable {
  chosen ??= existsSync("/proc/self/stat") ? procTable : psTable;
  return chosen;
}

function isMember({ ended, group, session }: ProcessFacts, wanted: number): boolean {
  return !ended && (session === wanted || group === wanted);
}

function parseStat(pid: number, stat: string): ProcessFacts {
  // The second field is the program's name in brackets and may itself hold brackets and spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state = "", , group = "", session = ""] = fields;
  return {
    pid,
    ended: state === "Z" || state === "X",
    group: Number(group),
    session: Number(session),
    startTime: fields[19] ?? "",
  };
}

function readStart(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(COMMAND_BYTES);
    return bytes.toString("latin1", 0, readSync(file, bytes, 0, COMMAND_BYTES, null));
  } finally {
    closeSync(file);
  }
}

function ps(columns: readonly string[], which: readonly string[]): readonly string[] {
  // An `-o` for each: some take all that follows the `=` for a title.
  const args = ["-ww", ...columns.flatMap((column) => ["-o", `${column}=`]), ...which];
  try {
    // The start is written in local time: a process that was asked about in another zone would look like another one.
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    return execFileSync("ps", args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] }).split("\n");
  } catch {
    // It says "no such process" by its exit status.
    return [];
  }
}

/** `lstart` is five words, such as `Fri Nov 21 13:31:05 2026`. */
const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\d+)\s*$/;

function parseLine(line: string): ProcessFacts | undefined {
  const [, pid, group, state = "", startTime = ""] = PS_LINE.exec(line) ?? [];
  if (pid === undefined) return undefined;
  return {
    pid: Number(pid),
    ended: state.startsWith("Z"),
    group: Number(group),
    session: Number(group),
    startTime: startTime.replace(/\s+/g, " "),
  };
}
