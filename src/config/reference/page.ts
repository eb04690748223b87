import { describeConfig, type SettingDescription } from "../describe.ts";
import { HOSTS_EXAMPLE } from "./examples.ts";

/** The headings of the page, each with the first words of its keys. */
const SECTIONS: readonly (readonly [string, readonly string[]])[] = [
  ["The program", ["backend", "database", "jobs", "policy", "timeout", "http", "retention", "artifacts"]],
  ["Workers", ["worker"]],
  ["Limits of jobs", ["job", "output", "history"]],
  ["Built-in job types", ["exec", "http_request"]],
  ["Windows machines", ["windows", "aloha", "playwright"]],
  ["The supervisor", ["supervisor"]],
  ["Hatchet", ["hatchet"]],
];

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema; do not edit. -->

Windlass needs no configuration. What you do set comes from four places; each overrides those before it:

1. the defaults below;
2. one config file, YAML or JSON: the one that \`--config PATH\` names (before the subcommand), else \`WINDLASS_CONFIG\`, else
   \`.windlass/config.yaml\` of the project folder, which is the nearest folder, upwards from here, that holds \`.windlass/\`;
3. the environment;
4. the flags of the command.

\`windlass config show --origin\` prints every value and where it came from, secrets masked. \`windlass.example.yaml\` and
\`windlass.example.json\` hold every key with its default.

- A \`.windlass/\` that belongs to another account (neither yours nor root's) is not read, because its owner could decide what
  runs here: the command ends, unless \`--db\` and, for the settings, \`--config\` name what you trust.
- Every variable below also works with the prefix \`WIN_AUTOMATION_\` in the place of \`WINDLASS_\`; where both are set,
  \`WINDLASS_\` wins, with a warning. An empty variable is the same as an unset one, except where empty is itself a value.
- In the texts of a file \`\${NAME}\` is replaced from the environment; an unset name is an error unless it is written
  \`\${NAME:-default}\`; \`$$\` is a dollar sign. A key with nothing (or \`null\`) after it is not set.
- A relative path in a file starts at the file's folder (for a file in \`.windlass/\`: at the folder that holds it), elsewhere
  at the working folder; \`~/\` is your home folder.
- A duration is a number with a unit (\`250ms\`, \`10m\`, \`1h30m\`, \`7d\`), a size a number of bytes (\`65536\`, \`64KiB\`, \`1GiB\`).
- Lists are lists in a file and \`a,b\` in the environment; labels are a block in a file and \`a=b,c=d\` in the environment.
- URLs lose their trailing slashes.

A key that does not exist, a value out of range and a file that cannot be read end the command with exit code 2 and one line:
\`config error: <field or path> <reason>\`.
`;

const HOSTS = `## Named hosts

The blocks \`windows\`, \`aloha\` and \`playwright\` describe the machine \`default\`. Further machines stand under \`hosts\`, only in a
file; each has the keys of \`windows\`, the blocks \`aloha\` and \`playwright\` where the machine has them, and \`labels\`. What a
machine does not say has the default of the tables above, not the value of the machine \`default\`.

\`\`\`yaml
${HOSTS_EXAMPLE}\`\`\`
`;

/** The text of `docs/configuration.md`. */
export function configurationPage(): string {
  const all = describeConfig();
  const inFiles = all.filter(({ environmentOnly }) => !environmentOnly);
  const sections = SECTIONS.map(([title, heads]) => {
    const rows = inFiles.filter(({ key }) => heads.includes(key.split(".")[0] ?? ""));
    return `## ${title}\n\n${table(rows, ({ key }) => code(key))}`;
  });
  return [INTRODUCTION, ...sections, HOSTS, environmentSection(all), namesSection(all)].join("\n");
}

function environmentSection(all: readonly SettingDescription[]): string {
  const rows = all.filter(({ environmentOnly }) => environmentOnly);
  return `## Only in the environment\n\nThese are refused in a file.\n\n${table(rows, ({ key }) => code(key))}`;
}

function namesSection(all: readonly SettingDescription[]): string {
  const aliases = all.flatMap(({ key, aliases, environment }) =>
    aliases.map((alias, index) => `- ${code(alias)} (${code(environment[index + 1] ?? "")}) is ${code(key)}.`),
  );
  const foreign = all.flatMap(({ key, foreignEnvironment }) =>
    foreignEnvironment === undefined ? [] : [`- ${code(foreignEnvironment)} is read for ${code(key)}.`],
  );
  return [
    "## Other names",
    "",
    "The same settings under other keys; where both are given, the key of the tables wins, with a warning:",
    "",
    ...aliases,
    "",
    "Variables of Hatchet's own client, read when nothing above says the setting:",
    "",
    ...foreign,
    "",
  ].join("\n");
}

function table(rows: readonly SettingDescription[], name: (row: SettingDescription) => string): string {
  const lines = rows.map((row) => {
    const set = [...row.environment.slice(0, 1), ...(row.flag === undefined ? [] : [row.flag])].map(code).join(", ");
    return [name(row), set, row.default.includes(" ") ? row.default : code(row.default), row.rule, row.description]
      .map(cell)
      .join(" | ");
  });
  return [
    "| key | set by | default | allowed | what it does |",
    "|---|---|---|---|---|",
    ...lines.map((line) => `| ${line} |`),
    "",
  ].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
