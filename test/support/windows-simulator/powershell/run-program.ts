import { readdirSync } from "node:fs";
import { splitCommandLine } from "../command-line.ts";
import { findCommand, readExecutable } from "../executables.ts";
import { endProcesses, type MachineProcess, runningProcesses, treeOf } from "../processes.ts";
import type { Program } from "../program.ts";
import { type StartedProgram, startProgram } from "../start-program.ts";
import { Refused, type Request } from "./runner.ts";
import type { Wire } from "./wire.ts";

const CMD = "C:\\Windows\\system32\\cmd.exe";
const IS_BATCH = /\.(bat|cmd)[ .]*$/i;

/** Runs a program or a line; returns the trailer without its nonce. */
export async function runProgram(program: Program, request: Request, wire: Wire): Promise<string> {
  const before = new Set(readdirSync("/proc"));
  const started = start(program, request);
  const over = new AbortController();
  const end = await Promise.race([started.ended, wire.interruption(request, over.signal)]);
  over.abort();
  if (typeof end === "number") return `end=exited rc=${end} left=${leftBy(program, before).length}`;
  endProcesses(treeOf(runningProcesses(program.context.folder), started.pid));
  const code = await started.ended;
  endProcesses(leftBy(program, before));
  return `end=${end} rc=${code} left=${leftBy(program, before).length}`;
}

function start(program: Program, request: Request): StartedProgram {
  if (request.line !== undefined) return startLine(program, request.line.slice(1));
  const words = (request.argv ?? []).map((word) => word.slice(1));
  const name = words[0] ?? "";
  let head = name;
  if (request.builtin !== true) {
    const image = find(program, name);
    if (image === undefined || !IS_BATCH.test(image)) {
      return create(program, image ?? name, `"${image ?? name}" ${request.arguments?.slice(1) ?? ""}`.trimEnd());
    }
    head = `"${image}"`;
  }
  if (request.cmd === null || request.cmd === undefined || /[%\r\n]/.test(head)) {
    throw new Refused(
      "ARGUMENT_UNSAFE",
      `cmd.exe would run ${name}, and no quoting keeps it from changing an argument`,
    );
  }
  return create(program, CMD, `"${CMD}" /d /e:on /v:off /s /c "${head}${request.cmd.slice(1)}"`);
}

/** Looking through Path is most of what a short command costs here. */
const FOUND = new Map<string, string>();

/** Without the current folder, as runner.ps1 looks. */
function find({ environment, context }: Program, name: string): string | undefined {
  const known = FOUND.get(name);
  if (known !== undefined && readExecutable(context.folder, known).kind !== "error") return known;
  const image = findCommand(name, { folder: context.folder, cwd: "C:\\nowhere", environment });
  if (image !== undefined) FOUND.set(name, image);
  return image;
}

/** As sshd starts the host's default shell. */
function startLine(program: Program, line: string): StartedProgram {
  const shell = program.machine.settings.defaultShell;
  if (/(^|\\)cmd(\.exe)?$/i.test(shell)) return create(program, shell, `"${shell}" /c "${line}"`);
  const escaped =
    /[\s"]/.test(line) || line === "" ? `"${line.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, "$&$&")}"` : line;
  return create(program, shell, `"${shell}" -c ${escaped}`);
}

function create(program: Program, image: string, commandLine: string): StartedProgram {
  const started = startProgram({
    image,
    commandLine,
    cwd: program.cwd,
    environment: program.environment,
    context: program.context,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (started.kind === "started") return started;
  const name = splitCommandLine(commandLine)[0] ?? image;
  throw new Error(
    `An error occurred trying to start process '${name}' with working directory '${program.cwd}'. ${started.message}.`,
  );
}

/** What runs in the machine's job of this runner and was not there before. Looks closely only where something is new. */
function leftBy(program: Program, before: ReadonlySet<string>): readonly MachineProcess[] {
  if (!readdirSync("/proc").some((entry) => !before.has(entry))) return [];
  const { folder, job } = program.context;
  return runningProcesses(folder).filter(({ pid, job: its }) => its === job && !before.has(String(pid)));
}
