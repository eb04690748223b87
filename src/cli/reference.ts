import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { type Flag, flagText, isRepeatable } from "./flag.ts";
import { GLOBAL_FLAGS, LEADING_FLAGS } from "./global-flags.ts";
import { describeFlags, ownFlags, usageLine } from "./help.ts";

/** The files of the repository that are written from the commands: `npm run docs`. */
export const GENERATED_FILES = [{ file: "docs/cli.md", generate: commandPage }] as const;

const INTRODUCTION = `# The command line

<!-- Generated from src/operations and src/cli; do not edit. -->

The program is \`windlass\`; \`win-automation\` is a second name of it. \`windlass <command> --help\` shows what stands here, and
for \`run\`, \`jobs enqueue\` and \`schedules add\` also the flags of the job type that is named.

- Answers stand on standard output as lines of \`key=value\`; with \`--json\` as one JSON value. Logs stand on standard error, one
  event a line, in the same notation. A person at a terminal gets tables, colour and live progress instead.
- A value that is empty or holds a space, \`"\`, \`=\`, \`\\\`, a control or a non-ASCII character is double-quoted.
- Every id may stand alone or after \`--id\`. \`--flag value\` and \`--flag=value\` are the same. \`--\` ends the flags.
- A command that fails says \`CODE: message\` on standard error, and with \`--json\` prints \`{"code", "error"}\`.
`;

/** The text of `docs/cli.md`. */
export async function commandPage(): Promise<string> {
  const commands = await Promise.all(COMMANDS.map((entry) => entry.load()));
  return [
    INTRODUCTION,
    `## Exit status\n\n| status | meaning |\n|---|---|\n${EXIT_CODES.map(({ code, meaning }) => `| ${code} | ${meaning} |\n`).join("")}`,
    "## Global flags\n\nBefore or after the command:\n",
    table(GLOBAL_FLAGS),
    "Before the command only:\n",
    table(LEADING_FLAGS),
    "## Commands\n",
    ...commands.map(commandSection),
  ].join("\n");
}

function commandSection(command: Command): string {
  const { name, summary, description, rest } = command;
  const flags = ownFlags(command);
  return [
    `### ${name}\n`,
    `\`${usageLine(command).replace("Usage: ", "")}\`\n`,
    `${summary}${description === undefined ? "" : ` ${description}`}\n`,
    ...(rest === undefined
      ? []
      : [`Behind \`--\`: ${rest}. With flags of the job type, or \`--input-json\` for all of its input.\n`]),
    ...(flags.length === 0 ? [] : [table(flags)]),
  ].join("\n");
}

function table(flags: readonly Flag[]): string {
  const rows = describeFlags(flags).map((flag) => {
    const { description, default: value, environment = [], required } = flag;
    const text = `${description}${required ? " Required." : ""}${isRepeatable(flag) ? " May be repeated." : ""}`;
    return [code(flagText(flag)), text, value === undefined ? "" : value, environment.map(code).join(", ")];
  });
  return [
    "| flag | what it does | default | environment |",
    "|---|---|---|---|",
    ...rows.map((row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`),
    "",
  ].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}
