import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { type Flag, isRepeatable } from "./flag.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "./global-flags.ts";
import { settingFlags } from "./settings-flags.ts";
import { style, type Terminal } from "./terminal.ts";

/** Shows the commands, all or those of a group. @returns 0 when help was asked for, else 2. */
export function showMenu({ terminal, name, asked }: { terminal: Terminal; name: string; asked: boolean }): number {
  const shown = COMMANDS.filter((entry) => name === "" || entry.name.startsWith(`${name} `));
  const write = asked ? terminal.out : terminal.error;
  write(
    [
      `Usage: windlass ${name === "" ? "<command>" : `${name} <command>`} [flags]\n\n`,
      ...columns(shown.map(({ name: command, summary }) => [command, summary])),
      "\n`windlass <command> --help` shows its flags.\n",
      ...(name === "" ? ["\nGlobal flags, before or after the command:\n", ...flagLines(GLOBAL_FLAGS)] : []),
      ...(name === "" ? ["\nBefore the command only:\n", ...flagLines(LEADING_FLAGS)] : []),
    ].join(""),
  );
  return asked ? 0 : 2;
}

/** Shows one command with its flags. */
export function showCommand({
  terminal,
  command,
  more,
}: {
  terminal: Terminal;
  command: Command;
  more: readonly Flag[];
}): number {
  const own = [...command.flags, ...settingFlags(command.settings ?? [])];
  const general = more.filter(({ ofType }) => ofType !== true);
  const ofType = more.filter((flag) => flag.ofType === true);
  terminal.out(
    [
      `${usageLine(command)}\n\n${command.summary}\n`,
      ...(command.description === undefined ? [] : [`${command.description}\n`]),
      ...section("Flags:", [...own, ...general]),
      ...section("Flags of the job type:", ofType),
      ...section("Global flags:", GLOBAL_FLAGS),
    ].join(""),
  );
  return 0;

  function section(title: string, flags: readonly Flag[]): readonly string[] {
    return flags.length === 0 ? [] : [`\n${style(terminal, "bold", title)}\n`, ...flagLines(flags)];
  }
}

/** How a command is called. */
export function usageLine({ name, words, rest }: Command): string {
  const written = words.map((word) => {
    const text = `<${word.name}>${word.isList ? "…" : ""}`;
    return word.isRequired ? ` ${text}` : ` [${text}]`;
  });
  return `Usage: windlass ${name}${written.join("")} [flags]${rest === undefined ? "" : " [-- …]"}`;
}

/** A flag as it is written: `--limit N`. */
export function flagText(flag: Flag): string {
  const { name, kind, short, placeholder, choices } = flag;
  const value = placeholder ?? choices?.join("|") ?? (kind === "pairs" ? "KEY=VALUE" : name.toUpperCase());
  return `${short === undefined ? "" : `-${short}, `}--${name}${kind === "boolean" ? "" : ` ${value}`}`;
}

/** What a flag does, with its default and its variables. */
export function flagDescription(flag: Flag): string {
  const { description, default: value, environment = [], required } = flag;
  const facts = [
    ...(required ? ["required"] : []),
    ...(isRepeatable(flag) ? ["may be repeated"] : []),
    ...(value === undefined ? [] : [`default: ${value}`]),
    ...(environment.length === 0 ? [] : [`environment: ${environment.join(", ")}`]),
  ];
  return `${description}${facts.length === 0 ? "" : ` (${facts.join("; ")})`}`;
}

function flagLines(flags: readonly Flag[]): readonly string[] {
  return columns(flags.map((flag) => [flagText(flag), flagDescription(flag)]));
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.min(34, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${right}\n` : `  ${left.padEnd(width)}  ${right}\n`,
  );
}
