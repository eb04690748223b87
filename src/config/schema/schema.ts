import { GENERAL } from "./general.ts";
import { HATCHET } from "./hatchet.ts";
import { BUILT_IN_TYPES, JOB, WORKER } from "./jobs.ts";
import { ALOHA, PLAYWRIGHT, SUPERVISOR, WINDOWS } from "./machines.ts";
import type { Setting } from "./setting.ts";

/**
 * Every setting, in the order of the documentation. Types, documentation, help and the example files come from here; a new
 * setting is one row. Named hosts alone are not in it, because their keys hold names: see `hosts.ts`.
 */
export const SETTINGS = {
  ...GENERAL,
  ...WORKER,
  ...JOB,
  ...BUILT_IN_TYPES,
  ...WINDOWS,
  ...ALOHA,
  ...PLAYWRIGHT,
  ...SUPERVISOR,
  ...HATCHET,
} as const;

/** The table of {@link SETTINGS}. */
export type Settings = typeof SETTINGS;

/** The name of a setting as files write it: `worker.lease`. */
export type SettingKey = keyof Settings;

/** Each key with its row. */
export const ROWS = Object.entries(SETTINGS) as readonly (readonly [SettingKey, Setting])[];

/** Every prefix of an environment name; the first wins. The second is the program's old name. */
export const PREFIXES = ["WINDLASS_", "WIN_AUTOMATION_"] as const;

/** The environment names of a key after the prefix: its own, then those of its aliases. */
export function environmentNamesOf(key: string, row: Setting): readonly string[] {
  return [row.environment ?? inCapitals(key), ...(row.aliases ?? []).map(inCapitals)];
}

function inCapitals(key: string): string {
  return key.toUpperCase().replaceAll(".", "_");
}
