import { AppError } from "../error.ts";
import type { Logger } from "../logfmt.ts";
import type { Command, CommandEntry } from "./command.ts";
import type { Flag } from "./flag.ts";
import { GLOBAL_FLAGS, globalValues } from "./global-flags.ts";
import { type Arguments, knownValues, readArguments, refuseSecondValues } from "./read-arguments.ts";
import { readValues } from "./read-values.ts";
import { Session } from "./session.ts";
import { settingFlags, settingValues } from "./settings-flags.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is run with. */
export interface CommandLine {
  /** Flags before the command's name. */
  readonly leading: Arguments["values"];
  readonly argv: readonly string[];
  readonly commands: readonly CommandEntry[];
  readonly terminal: Terminal;
  readonly log: Logger;
}

/**
 * Reads the flags of a command and runs it, or shows its help.
 *
 * @returns the exit status.
 */
export async function runCommand(
  entry: CommandEntry,
  { leading, argv, commands, terminal, log }: CommandLine,
): Promise<number> {
  const command = await entry.load();
  const { settings = [] } = command;
  const flags = [...GLOBAL_FLAGS, ...command.flags, ...settingFlags(settings)];
  const early = knownValues(argv, flags);
  await using session = new Session({
    globals: globalValues(leading, early),
    configFlags: settingValues(settings, early),
    log,
    signal: new AbortController().signal,
  });
  if (leading.has("help") || early.has("help")) {
    const { showCommand } = await import("./help.ts");
    const more = await command.moreFlags?.({ session, argv }).catch(() => []);
    return showCommand({ terminal, command, more: more ?? [] });
  }
  // Before the flags of a job type are looked for, which may open the database.
  refuseSecondValues(command.name, early, flags);
  const all = [...flags, ...((await command.moreFlags?.({ session, argv })) ?? [])];
  const read = readArguments(command.name, argv, all);
  const given = withWords(command, read);
  if (read.rest !== undefined && command.rest === undefined)
    throw new AppError("USAGE", `${command.name}: nothing may follow --`);
  const values = await readValues(given, all, { cwd: process.cwd(), stdin: process.stdin });
  // Awaited here: the session must not close before the command has ended.
  return await command.run({
    command: command.name,
    commands,
    globals: globalValues(leading, read.values),
    session,
    terminal,
    log,
    flags: all,
    values,
    rest: read.rest,
  });
}

/** Puts the words where their flags would stand, and misses what is required. */
function withWords(command: Command, { values, words }: Arguments): Arguments["values"] {
  const all = new Map(values);
  const left = [...words];
  for (const { flag, isList } of command.words) {
    if (left.length === 0) break;
    if (all.has(flag) && isList !== true)
      throw new AppError("USAGE", `${command.name}: ${left[0]} is one word too many; --${flag} says it already`);
    all.set(flag, [...(all.get(flag) ?? []), ...(isList ? left.splice(0) : left.splice(0, 1))]);
  }
  if (left.length > 0) throw wordTooMany(command, left, words);
  const missing = command.flags.find(({ required, name }) => required === true && !all.has(name));
  if (missing !== undefined) throw new AppError("USAGE", missingText(command, missing));
  return all;
}

function wordTooMany(command: Command, left: readonly string[], words: readonly string[]): AppError {
  const taken = words.slice(0, words.length - left.length);
  const hint =
    command.rest === undefined
      ? usageHint(command)
      : `a program stands behind --: \`${["windlass", command.name, ...taken, "--", ...left].join(" ")}\``;
  return new AppError("USAGE", `${command.name}: ${JSON.stringify(left[0])} is one word too many; ${hint}`);
}

function missingText(command: Command, { name }: Flag): string {
  const word = command.words.some(({ flag }) => flag === name);
  return `${command.name} needs ${word ? `<${name}>` : `--${name}`}; ${usageHint(command)}`;
}

function usageHint({ name }: Command): string {
  return `\`windlass ${name} --help\` says how it is called`;
}
