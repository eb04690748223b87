import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { AppError } from "../../error.ts";
import { isBlock } from "../schema/lists.ts";
import { environmentNamesOf, PREFIXES, ROWS, type SettingKey } from "../schema/schema.ts";
import { configError, type Setting } from "../schema/setting.ts";
import { flatten } from "./flatten.ts";
import { baseFolderOf } from "./folders.ts";
import type { Given } from "./given.ts";
import { type Environment, interpolate } from "./interpolate.ts";
import { parseConfigText } from "./parse-text.ts";

/** What a config file says; relative paths of it start at `folder`. */
export interface ConfigFile {
  readonly path: string;
  readonly folder: string;
  readonly given: ReadonlyMap<SettingKey, Given>;
  /** The block `hosts`, unread. */
  readonly hosts: unknown;
  readonly warnings: readonly string[];
}

const KEYS: readonly string[] = [...ROWS.flatMap(([key, row]) => [key, ...(row.aliases ?? [])]), "hosts"];

/**
 * Reads a config file, JSON by its ending, else YAML.
 *
 * @param path as the user wrote it; errors repeat it.
 * @throws AppError `CONFIG`
 */
export async function readConfigFile(path: string, cwd: string, env: Environment): Promise<ConfigFile> {
  const absolute = resolve(cwd, path);
  const content = (await parseConfigText(path, readText(path, absolute))) ?? {};
  if (!isBlock(content)) throw configError(path, "must hold a block of keys, such as worker: { concurrency: 5 }");
  const values = flatten(content, KEYS, (key, reason) => {
    throw refusal(absolute, key, reason);
  });
  const folder = baseFolderOf(absolute);
  const given = new Map<SettingKey, Given>();
  const warnings: string[] = [];
  for (const [key, row] of ROWS) {
    const [name, ...ignored] = [key, ...(row.aliases ?? [])].filter((one) => values.has(one));
    if (name === undefined) continue;
    given.set(key, giveFromFile(key, row, { value: values.get(name), path: absolute, folder, env }));
    warnings.push(...ignored.map((other) => `${other} is ignored, because ${name} is set too (file ${absolute})`));
  }
  return { path: absolute, folder, given, hosts: values.get("hosts"), warnings };
}

/**
 * Holds a value of a file against what may stand in files, and replaces its `${NAME}`s.
 *
 * @throws AppError `CONFIG`
 */
export function giveFromFile(
  key: string,
  row: Setting,
  { value, path, folder, env }: { value: unknown; path: string; folder: string; env: Environment },
): Given {
  const reason = row.environmentOnly === true ? environmentOnlyReason(key, row) : row.refuseInFile?.(value);
  if (reason !== undefined) throw refusal(path, key, reason);
  const refuse = (why: string): never => {
    throw refusal(path, key, why);
  };
  return { value: interpolate(value, env, refuse), origin: { kind: "file", path }, folder };
}

/** An error about a key of a file. */
export function refusal(path: string, key: string, reason: string): AppError {
  return configError(key, `${reason} (file ${path})`);
}

function environmentOnlyReason(key: string, row: Setting): string {
  return `may not stand in a file; set it in the environment as ${PREFIXES[0]}${environmentNamesOf(key, row)[0]}`;
}

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EISDIR: "is a folder, not a file",
  EACCES: "cannot be read: permission denied",
};

function readText(path: string, absolute: string): string {
  try {
    return readFileSync(absolute, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw configError(path, READ_ERRORS[code] ?? `cannot be read (${code})`, error);
  }
}
