import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Writable } from "node:stream";
import { isAppError } from "../../error.ts";
import { accountOf } from "./account.ts";
import { endOf, type ProgramEnd, readExitRecord } from "./exit-record.ts";
import { checkFolder, findExecutable, notStarted } from "./find-executable.ts";
import { inheritedDescriptors } from "./inherited-descriptors.ts";
import { type OpenFiles, openFiles } from "./open-files.ts";
import { GO, PARENT_SCRIPT, SHELL } from "./parent-script.ts";
import { processTable } from "./process-table.ts";
import type { ProgramFiles, ProgramId, RunningProgram } from "./program.ts";

/** A program to start. */
export interface ProgramSpec {
  /** The program and its arguments; the first is looked for as {@link findExecutable} says. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What it reads on its standard input. Default: nothing. */
  readonly stdin?: string | undefined;
  /** Made anew; their folder exists. */
  readonly files: ProgramFiles;
  /** Runs as this user and its primary group. Needs root. */
  readonly uid?: number | undefined;
}

/**
 * A program whose parent is there and waits. Nothing runs before {@link go}: record who it is first. When this process
 * dies before, the parent ends without running it.
 */
export interface PreparedProgram {
  readonly id: ProgramId;
  go(): RunningProgram;
  /** Ends the parent without running the program. */
  abandon(): Promise<void>;
}

/**
 * Starts the parent of a program in a session of its own. The parent outlives this process and holds no descriptor of
 * it; output goes straight into the files.
 *
 * @throws AppError `PROGRAM_NOT_STARTED` saying what is missing; its detail `transient` says whether later may be better.
 */
export async function prepareProgram(spec: ProgramSpec): Promise<PreparedProgram> {
  checkEnvironment(spec.env);
  checkFolder(spec.cwd);
  const program = findExecutable(spec.argv[0] ?? "", { path: spec.env["PATH"], cwd: spec.cwd });
  const nonce = randomUUID();
  const child = await launch([nonce, program, ...spec.argv.slice(1)], spec);
  const { pid } = child;
  const gate = child.stdio[3] as Writable;
  // The parent may be gone by the time that go or the end is written; its exit tells the story.
  gate.on("error", () => {});
  const exit = new Promise<ParentExit>((resolve) =>
    child.once("exit", (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal })),
  );
  // Its number cannot be reused yet: this process has not been told of its end.
  const id = { pid, startTime: processTable().read(pid)?.startTime ?? "", nonce };
  return {
    id,
    go() {
      gate.end(GO);
      return follow(child, { id, exit, files: spec.files });
    },
    async abandon() {
      gate.destroy();
      await exit;
    },
  };
}

/** How the parent itself ended. */
type ParentExit = { readonly code: number } | { readonly signal: string };

function follow(
  child: ChildProcess,
  { id, exit, files }: { readonly id: ProgramId; readonly exit: Promise<ParentExit>; readonly files: ProgramFiles },
): RunningProgram {
  let watched = true;
  const ended = exit.then((parent) => (watched ? endOfOwn(parent, files.record) : new Promise<never>(() => {})));
  ended.catch(() => {});
  return {
    id,
    files,
    ended,
    letGo() {
      watched = false;
      child.unref();
    },
  };
}

async function endOfOwn(parent: ParentExit, path: string): Promise<ProgramEnd> {
  const record = readExitRecord(path);
  if (record.kind === "ended") return endOf(record);
  if (record.kind === "not-run") {
    throw notStarted("the program was stopped before it ran; start it again", { transient: true });
  }
  // Killed together with the program, which leaves no code behind.
  if ("signal" in parent) return { exitCode: null, signal: parent.signal };
  if (record.words !== "" && record.words !== "run") {
    throw notStarted(`${SHELL} could not start the program: ${record.words}`, { transient: true });
  }
  // The record could not be written, but the parent hands the status on.
  return endOf({ kind: "ended", status: parent.code, announced: false });
}

async function launch(args: readonly string[], spec: ProgramSpec): Promise<ChildProcess & { readonly pid: number }> {
  const account = spec.uid === undefined ? undefined : accountOf(spec.uid);
  let files: OpenFiles | undefined;
  try {
    files = openFiles(spec.files, { stdin: spec.stdin, owner: account });
    const child = spawn(SHELL, ["-c", PARENT_SCRIPT, "windlass", ...args], {
      cwd: spec.cwd,
      env: spec.env,
      detached: true,
      stdio: stdioOf(files),
      ...account,
    });
    if (isStarted(child)) return child;
    const [cause] = await new Promise<readonly [Error]>((resolve) => child.once("error", (error) => resolve([error])));
    throw cause;
  } catch (cause) {
    throw isAppError(cause) ? cause : startProblem(cause, args, spec.env);
  } finally {
    files?.close();
  }
}

function isStarted(child: ChildProcess): child is ChildProcess & { readonly pid: number } {
  return child.pid !== undefined;
}

/** Descriptors that this process got from its own starter would go on to the program: they are covered with an empty file. */
function stdioOf(files: OpenFiles): StdioOptions {
  const stdio: ("ignore" | "pipe" | number)[] = [files.stdin, files.stdout, files.record, "pipe", files.stderr];
  for (const descriptor of inheritedDescriptors()) {
    if (descriptor < 5) continue;
    while (stdio.length < descriptor) stdio.push("ignore");
    stdio[descriptor] = files.nothing;
  }
  return stdio;
}

const TRANSIENT: readonly unknown[] = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "ETXTBSY"];

function startProblem(cause: unknown, args: readonly string[], env: ProgramSpec["env"]): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code !== "E2BIG") {
    return notStarted(`the program could not be started: ${message}`, { transient: TRANSIENT.includes(code), cause });
  }
  const size = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
  const bytes = `argv has ${size(args)} bytes and env ${size(Object.entries(env).flat())}`;
  return notStarted(`${bytes}: more than this system takes; pass the data in stdin or a file`, { cause });
}

/** Node would refuse it too, but its message shows the value, which may be a secret. */
function checkEnvironment(env: ProgramSpec["env"]): void {
  const broken = Object.keys(env).find((name) => name.includes("\0") || env[name]?.includes("\0"));
  if (broken !== undefined) {
    throw notStarted(`env.${broken} holds a NUL character, which no program can be given; take it out`);
  }
}
