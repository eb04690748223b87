import { describeConfig, type SettingDescription } from "../config/describe.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { type Flag, flagDescription, flagText } from "./flag.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "./global-flags.ts";
import { settingFlags } from "./settings-flags.ts";
import { style, type Terminal } from "./terminal.ts";

/** Shows the commands, all or those of a group. @returns 0 when help was asked for, else 2. */
export function showMenu({ terminal, name, asked }: { terminal: Terminal; name: string; asked: boolean }): number {
  const shown = COMMANDS.filter((entry) => name === "" || entry.name.startsWith(`${name} `));
  const write = asked ? terminal.out : terminal.error;
  const title = (text: string): string => `\n${style(terminal, "bold", text)}\n`;
  write(
    [
      `Usage: windlass ${name === "" ? "<command>" : `${name} <command>`} [flags]\n`,
      title("Commands:"),
      ...columns(shown.map(({ name: command, summary }) => [command, summary])),
      "\n`windlass <command> --help` shows its flags.\n",
      ...(name === "" ? [title("Global flags, before or after the command:"), ...flagLines(GLOBAL_FLAGS)] : []),
      ...(name === "" ? [title("Before the command only:"), ...flagLines(LEADING_FLAGS)] : []),
      ...(name === ""
        ? [title("Exit status:"), ...columns(EXIT_CODES.map(({ code, meaning }) => [code, meaning]))]
        : []),
      ...(name === "" ? [title("Environment:"), ...environmentLines(terminal.columns)] : []),
    ].join(""),
  );
  return asked ? 0 : 2;
}

/** Shows one command with its flags. @returns 0 */
export function showCommand({
  terminal,
  command,
  more,
}: {
  terminal: Terminal;
  command: Command;
  more: readonly Flag[];
}): number {
  const section = (title: string, flags: readonly Flag[]): readonly string[] =>
    flags.length === 0 ? [] : [`\n${style(terminal, "bold", title)}\n`, ...flagLines(flags)];
  terminal.out(
    [
      `${usageLine(command)}\n\n${command.summary}\n`,
      ...(command.description === undefined ? [] : [`${command.description}\n`]),
      ...section("Flags:", [...ownFlags(command), ...more.filter(({ ofType }) => ofType !== true)]),
      ...section(
        "Flags of the job type:",
        more.filter(({ ofType }) => ofType === true),
      ),
      ...section("Global flags:", GLOBAL_FLAGS),
    ].join(""),
  );
  return 0;
}

/** The flags that a command has, whatever it is called with. */
export function ownFlags({ flags, settings = [] }: Command): readonly Flag[] {
  return [...flags, ...settingFlags(settings)];
}

/** How a command is called. */
export function usageLine({ name, words, rest }: Command): string {
  const written = words.map((word) => {
    const text = `<${word.name}>${word.isList ? "…" : ""}`;
    return word.isRequired ? ` ${text}` : ` [${text}]`;
  });
  return `Usage: windlass ${name}${written.join("")} [flags]${rest === undefined ? "" : " [-- …]"}`;
}

/** Flags with what the configuration says about those that set something of it: default and variables. */
export function describeFlags(flags: readonly Flag[]): readonly Flag[] {
  const settings = new Map(describeConfig().map((setting) => [setting.flag, setting]));
  return flags.map((flag) => {
    const setting = settings.get(`--${flag.name}`);
    return setting === undefined ? flag : { ...defaultOf(setting), environment: setting.environment, ...flag };
  });
}

function defaultOf({ default: text }: SettingDescription): { readonly default?: string } {
  return text === "none" ? {} : { default: text };
}

function flagLines(flags: readonly Flag[]): readonly string[] {
  return columns(describeFlags(flags).map((flag) => [flagText(flag), flagDescription(flag)]));
}

/** Every variable that is read; what each does stands in the reference. */
function environmentLines(width: number): readonly string[] {
  const settings = describeConfig();
  const own = ["WINDLASS_CONFIG", ...settings.flatMap(({ environment }) => environment)];
  const foreign = settings.flatMap(({ foreignEnvironment }) => foreignEnvironment ?? []);
  return [
    "  Each name also works with WIN_AUTOMATION_ in the place of WINDLASS_; docs/configuration.md says what each does.\n",
    ...wrap([...own, ...foreign, "NO_COLOR"], width),
  ];
}

function wrap(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 2 > width) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line) => `${line}\n`);
}

const LEFT_MAX = 34;

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.min(LEFT_MAX, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${" ".repeat(width)}  ${right}\n` : `  ${left.padEnd(width)}  ${right}\n`,
  );
}
