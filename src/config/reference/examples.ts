import { environmentNamesOf, PREFIXES, ROWS } from "../schema/schema.ts";
import type { Setting } from "../schema/setting.ts";

const HEAD = `# Every setting of Windlass that a file may hold, with its default; a line that starts with "# name:" has none.
# Copy what you change to .windlass/config.yaml, or name a file with --config. The reference is docs/configuration.md.
`;

/** Named hosts as a file says them. */
export const HOSTS_EXAMPLE = `hosts:
  lab1:
    ssh_host: lab1.example.com
    ssh_port: 22
    aloha:
      server_url: http://127.0.0.1:17887
      client_url: http://127.0.0.1:17888
    playwright:
      port: 19323
    labels:
      site: lab
`;

const HOSTS = `# Further machines by name, each with the keys of windows, aloha and playwright where it has them, and labels:
${HOSTS_EXAMPLE.replace(/^(?=.)/gm, "# ")}hosts: {}
`;

const IN_FILES = ROWS.filter(([, row]) => row.environmentOnly !== true);

/** The settings of a file by block; the block of those without one is "". */
function blocks(): ReadonlyMap<string, readonly (readonly [string, string, Setting])[]> {
  const named = IN_FILES.map(([key, row]) => {
    const dot = key.indexOf(".");
    return { block: key.slice(0, Math.max(0, dot)), entry: [key.slice(dot + 1), key, row] as const };
  });
  const grouped = Map.groupBy(named, ({ block }) => block);
  return new Map([...grouped].map(([block, all]) => [block, all.map(({ entry }) => entry)]));
}

/** The text of `windlass.example.yaml`: complete and commented. */
export function exampleYaml(): string {
  const texts = [...blocks()].map(([block, entries]) => {
    const indent = block === "" ? "" : "  ";
    const lines = entries.flatMap(([name, key, row]) => yamlLines(name, key, row).map((line) => indent + line));
    return `${[...(block === "" ? [] : [`${block}:`]), ...lines].join("\n")}\n`;
  });
  return [HEAD, ...texts, HOSTS].join("\n");
}

/** The text of `windlass.example.json`: complete; `null` where there is no default. */
export function exampleJson(): string {
  const content: Record<string, unknown> = {};
  for (const [block, entries] of blocks()) {
    const values = Object.fromEntries(entries.map(([name, , row]) => [name, fileValue(row) ?? null]));
    if (block === "") Object.assign(content, values);
    else content[block] = values;
  }
  const text = JSON.stringify({ ...content, hosts: {} }, null, 2);
  // Lists on one line, as the formatter of this repository writes them.
  return `${text.replace(/\[[^\]]+\]/g, (list) => list.replace(/\s*\n\s*/g, "").replaceAll('","', '", "'))}\n`;
}

function yamlLines(name: string, key: string, row: Setting): readonly string[] {
  const value = fileValue(row);
  const variable = PREFIXES[0] + environmentNamesOf(key, row)[0];
  const line = value === undefined ? `# ${name}: ${yamlValue(row.example)}` : `${name}: ${yamlValue(value)}`;
  return [`# ${row.description}`, `# Allowed: ${row.rule}. Variable: ${variable}`, line];
}

/** A default as a file writes it; `undefined` for none. */
function fileValue(row: Setting): unknown {
  const value = row.default;
  const asItIs = typeof value !== "number" || row.unit === "";
  return asItIs ? value : row.format(value);
}

function yamlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlValue).join(", ")}]`;
  const plain = typeof value === "string" && /^[A-Za-z0-9./][A-Za-z0-9./:_-]*$/.test(value);
  return plain ? value : JSON.stringify(value);
}
