import type { LoadedConfig } from "../config/config.ts";
import { type Flags, loadConfig } from "../config/load.ts";
import { ROWS, type SettingKey } from "../config/schema/schema.ts";
import { configError } from "../config/schema/setting.ts";
import { flatten } from "../config/sources/flatten.ts";
import { homeFolder } from "../host/local/os-user.ts";

/**
 * Configuration in code: keys as files write them, in blocks (`{ worker: { concurrency: 3 } }`) or by their full names
 * (`{ "worker.concurrency": 3 }`).
 */
export type ConfigInput = Flags | Readonly<Record<string, unknown>>;

/** Where configuration comes from, beside the environment. */
export interface ConfigSources {
  readonly config?: ConfigInput | undefined;
  readonly configFile?: string | undefined;
  readonly db?: string | undefined;
}

const KEYS: readonly string[] = [...ROWS.flatMap(([key, row]) => [key, ...(row.aliases ?? [])]), "hosts"];

/** Reads configuration with the loader of the command line. What the code says is the strongest, as flags are. */
export function readConfig({ config = {}, configFile, db }: ConfigSources): Promise<LoadedConfig> {
  return loadConfig({
    configPath: configFile,
    flags: { ...readKeys(config), ...(db === undefined ? {} : { "database.path": db }) },
    env: process.env,
    cwd: process.cwd(),
    home: homeFolder(),
  });
}

function readKeys(config: ConfigInput): Flags {
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw configError("config", "must be an object of keys, such as { worker: { concurrency: 5 } }");
  const values = flatten(config, KEYS, (key, reason) => {
    throw configError(key, reason);
  });
  const flags: { [Key in SettingKey]?: unknown } = {};
  for (const [key, row] of ROWS) {
    const name = [key, ...(row.aliases ?? [])].find((one) => values.get(one) !== undefined);
    if (name === undefined) continue;
    if (row.environmentOnly === true)
      throw configError(
        key,
        key === "actor" ? "is an option of its own: openWindlass({ actor })" : "may be set in the environment only",
      );
    flags[key] = values.get(name);
  }
  if (values.has("hosts")) throw configError("hosts", "may stand in a file only; name it as configFile");
  return flags;
}
