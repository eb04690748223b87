import { findCommand } from "../executables.ts";
import { NotModelled } from "../not-modelled.ts";
import { batchWords, findLabel, runBatch, runFrame } from "./batch.ts";
import { startExternal } from "./external.ts";
import { FILE_BUILTINS } from "./file-builtins.ts";
import type { Interpreter } from "./interpreter.ts";
import { expandPercent } from "./percent.ts";
import { changeFolder, printFolder, set } from "./set-and-cd.ts";
import { startInBackground } from "./start.ts";

/** Runs with what stands behind its name, raw; `undefined` leaves `%ERRORLEVEL%` alone. */
export type RunBuiltin = (rest: string, shell: Interpreter) => Promise<number | undefined> | number | undefined;

export interface Builtin {
  readonly run: RunBuiltin;
  readonly rest: string;
}

const BUILTINS: Readonly<Record<string, RunBuiltin>> = {
  ...FILE_BUILTINS,
  call,
  cd: (rest, shell) => (rest.trim() === "" ? printFolder(shell) : changeFolder(rest, shell)),
  chdir: (rest, shell) => (rest.trim() === "" ? printFolder(shell) : changeFolder(rest, shell)),
  echo,
  endlocal: (_, shell) => void restore(shell),
  exit,
  goto: (rest, shell) => void goTo(rest, shell),
  set,
  setlocal: (rest, shell) => void save(rest, shell),
  shift: (_, shell) => void shift(shell),
  start: startInBackground,
  title: () => undefined,
  ver: (_, shell) => void shell.out(`\r\nMicrosoft Windows [Version ${shell.program.machine.settings.osVersion}]\r\n`),
};

/** Builtins of cmd that are not here: using one is an error of the test. */
const UNKNOWN = new Set(
  "assoc break cls color date dpath ftype keys mklink path pause popd prompt pushd time verify vol".split(" "),
);

/** The builtin that a command names; a name ends at a delimiter, or at one of `. ( \ : / [ ] +` as in `echo.` and `cd..`. */
export function builtinOf(line: string, shell: Interpreter): Builtin | undefined {
  const name = /^[a-z]+(?=$|[\s,;=.(\\:/[\]+])/i.exec(line)?.[0];
  if (name === undefined) return undefined;
  const rest = line.slice(name.length);
  const key = name.toLowerCase();
  if (/^[.\\:]/.test(rest) && isFile(line, shell)) return undefined;
  if (UNKNOWN.has(key)) throw new NotModelled(`the builtin ${name} of cmd`);
  const run = BUILTINS[key];
  return run === undefined ? undefined : { run, rest };
}

/** `echo.exe` is a program where there is one. */
function isFile(line: string, { program, cwd, environment }: Interpreter): boolean {
  const word = /^\S+/.exec(line)?.[0] ?? "";
  return findCommand(word, { folder: program.context.folder, cwd, environment }) !== undefined;
}

function echo(rest: string, shell: Interpreter): undefined {
  const state = rest.trim().toLowerCase();
  if (state === "on" || state === "off") shell.echoes = state === "on";
  else if (rest.trim() === "") shell.out(`ECHO is ${shell.echoes ? "on" : "off"}.\r\n`);
  // One character behind the name belongs to it.
  else shell.out(`${rest.slice(1)}\r\n`);
}

function exit(rest: string, shell: Interpreter): number | undefined {
  const [, onlyBatch, code] = /^\s*(\/b)?\s*(\S*)/i.exec(rest) ?? [];
  shell.leave = onlyBatch !== undefined && shell.batch !== undefined ? { kind: "batch" } : { kind: "shell" };
  const number = code === undefined || code === "" ? shell.errorLevel : Number.parseInt(code, 10) || 0;
  return number;
}

async function call(rest: string, shell: Interpreter): Promise<number | undefined> {
  // The line is read a second time: `call echo %%NAME%%`.
  const line = expandPercent(rest.trim(), shell.variables, shell.batch?.arguments);
  if (line.startsWith(":")) return callLabel(line, shell);
  const builtin = builtinOf(line, shell);
  if (builtin !== undefined) return builtin.run(builtin.rest, shell);
  const external = await startExternal(line, shell);
  if (external.kind === "ended") return external.code;
  if (external.kind === "failed") {
    shell.fail(external.message, external.code);
    return external.code;
  }
  await runBatch(shell, external, { returns: true });
  return undefined;
}

async function callLabel(line: string, shell: Interpreter): Promise<number | undefined> {
  const frame = shell.batch;
  const [name = "", ...words] = batchWords(line);
  const start = frame === undefined ? undefined : findLabel(frame.text, name.slice(1));
  if (frame === undefined) {
    shell.fail("Invalid attempt to call batch label outside of batch script.");
    return 1;
  }
  if (start === undefined) {
    shell.fail(`The system cannot find the batch label specified - ${name.slice(1)}`);
    return 1;
  }
  const own = {
    ...frame.arguments,
    words: [frame.arguments.words[0] ?? "", ...words],
    rest: line.slice(name.length).trim(),
  };
  await runFrame(shell, { text: frame.text, arguments: own, saved: [] }, start);
  return undefined;
}

function goTo(rest: string, shell: Interpreter): void {
  const label = /^[\s:]*([^\s:+&|<>,;=]+)/.exec(rest)?.[1] ?? "";
  shell.leave = { kind: "label", label };
}

function shift(shell: Interpreter): void {
  if (shell.batch === undefined) return;
  const [, ...words] = shell.batch.arguments.words;
  shell.batch.arguments = { ...shell.batch.arguments, words };
}

function save(rest: string, shell: Interpreter): void {
  const { environment, delayedExpansion, cwd } = shell;
  shell.batch?.saved.push({ environment, delayedExpansion, cwd });
  if (shell.batch !== undefined) shell.environment = environment.copy();
  if (/enabledelayedexpansion/i.test(rest)) shell.delayedExpansion = true;
  if (/disabledelayedexpansion/i.test(rest)) shell.delayedExpansion = false;
}

function restore(shell: Interpreter): void {
  const saved = shell.batch?.saved.pop();
  if (saved === undefined) return;
  shell.environment = saved.environment;
  shell.delayedExpansion = saved.delayedExpansion;
  shell.program.cwd = saved.cwd;
}
