import { describeConfig, type SettingDescription } from "../config/describe.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { type Flag, flagDescription, flagText } from "./flag.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "./global-flags.ts";
import { settingFlags } from "./settings-flags.ts";
import { style, type Terminal } from "./terminal.ts";

/** What to type first. */
const FIRST_STEPS: readonly (readonly [string, string])[] = [
  ["windlass run exec -- echo hi", "Run something here and now."],
  ["windlass jobs enqueue --type exec -- date", "Put something into the queue,"],
  ["windlass worker", "and let a worker take it."],
  ["windlass jobs explain <job_id>", "Ask why a job is not running."],
  ["windlass doctor", "See whether all is well."],
];

/** Shows what to type first and the commands in short, to who typed nothing. @returns 0 */
export function showStart(terminal: Terminal): number {
  const write = writerFor(terminal);
  const shown = COMMANDS.filter(({ summary }) => !summary.startsWith("Deprecated"));
  const groups = Map.groupBy(shown, ({ name }) => name.split(" ")[0] ?? "");
  const commands = [...groups].map(([word, entries]) => {
    const [first] = entries;
    const alone = first?.name === word ? first.summary : undefined;
    return [word, alone ?? entries.map(({ name }) => name.slice(word.length + 1)).join(", ")] as const;
  });
  terminal.out(
    [
      "Windlass runs work on real machines durably, and leaves evidence.\n",
      write.title("Start here:"),
      ...write.columns(FIRST_STEPS),
      write.title("Commands:"),
      ...write.columns(commands),
      "\n`windlass --help` shows everything, `windlass <command> --help` one command with its flags.\n",
    ].join(""),
  );
  return 0;
}

/** Shows the commands, all or those of a group. @returns 0 when help was asked for, else 2. */
export function showMenu({ terminal, name, asked }: { terminal: Terminal; name: string; asked: boolean }): number {
  const shown = COMMANDS.filter((entry) => name === "" || entry.name.startsWith(`${name} `));
  const write = writerFor(terminal);
  const text = [
    `Usage: windlass ${name === "" ? "<command>" : `${name} <command>`} [flags]\n`,
    write.title("Commands:"),
    ...write.columns(shown.map(({ name: command, summary }) => [command, summary])),
    "\n`windlass <command> --help` shows its flags.\n",
    ...(name === "" ? fullMenu(write, terminal.columns) : []),
  ].join("");
  if (asked) terminal.out(text);
  else terminal.error(text);
  return asked ? 0 : 2;
}

function fullMenu(write: Writer, width: number): readonly string[] {
  return [
    write.title("Global flags, before or after the command:"),
    ...write.flags(GLOBAL_FLAGS),
    write.title("Before the command only:"),
    ...write.flags(LEADING_FLAGS),
    write.title("Exit status:"),
    ...write.columns(EXIT_CODES.map(({ code, meaning }) => [code, meaning])),
    write.title("Environment:"),
    ...environmentLines(width),
  ];
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
  const write = writerFor(terminal);
  const section = (title: string, flags: readonly Flag[]): readonly string[] =>
    flags.length === 0 ? [] : [write.title(title), ...write.flags(flags)];
  terminal.out(
    [
      `${usageLine(command)}\n\n${write.text(command.summary)}`,
      ...(command.description === undefined ? [] : [write.text(command.description)]),
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

interface Writer {
  title(text: string): string;
  text(text: string): string;
  columns(rows: readonly (readonly [string, string])[]): readonly string[];
  flags(flags: readonly Flag[]): readonly string[];
}

/** Lines longer than this are hard to read. */
const WIDTH_MAX = 120;
const WIDTH_MIN = 60;

/** For a person lines are broken at words; a pipe gets each text on one line, so that it can be searched. */
function writerFor(terminal: Terminal): Writer {
  const width = terminal.isPerson
    ? Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, terminal.columns)) - 1
    : Number.POSITIVE_INFINITY;
  const inColumns = (rows: readonly (readonly [string, string])[]) => columns(rows, width);
  return {
    title: (text) => `\n${style(terminal, "bold", text)}\n`,
    text: (text) =>
      wrap(text.split(" "), width)
        .map((line) => `${line}\n`)
        .join(""),
    columns: inColumns,
    flags: (flags) => inColumns(describeFlags(flags).map((flag) => [flagText(flag), flagDescription(flag)])),
  };
}

/** Every variable that is read; what each does stands in the reference. */
function environmentLines(width: number): readonly string[] {
  const settings = describeConfig();
  const own = ["WINDLASS_CONFIG", ...settings.flatMap(({ environment }) => environment)];
  const foreign = settings.flatMap(({ foreignEnvironment }) => foreignEnvironment ?? []);
  return [
    "  Each name also works with WIN_AUTOMATION_ in the place of WINDLASS_; docs/configuration.md says what each does.\n",
    ...wrap([...own, ...foreign, "NO_COLOR"], width - 3).map((line) => `  ${line}\n`),
  ];
}

function wrap(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

const LEFT_MAX = 42;

function columns(rows: readonly (readonly [string, string])[], width: number): readonly string[] {
  const lefts = rows.map(([left]) => left.length).filter((length) => length <= LEFT_MAX);
  const leftWidth = Math.max(0, ...lefts);
  const indent = " ".repeat(leftWidth + 4);
  return rows.map(([left, right]) => {
    const text = wrap(right.split(" "), width - indent.length).join(`\n${indent}`);
    return left.length > leftWidth ? `  ${left}\n${indent}${text}\n` : `  ${left.padEnd(leftWidth)}  ${text}\n`;
  });
}
