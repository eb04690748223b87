import type { Flags } from "../config/load.ts";
import type { SettingKey } from "../config/schema/schema.ts";
import type { Flag } from "./flag.ts";

/** Flags that set something of the configuration, and what they set. */
const SETTING_FLAGS: readonly (Flag & { readonly key: SettingKey })[] = [
  {
    name: "jobs",
    key: "jobs",
    kind: "texts",
    placeholder: "FILE",
    description: "A file of your own job types (.ts, .js), beside those of the configuration.",
  },
  {
    name: "concurrency",
    key: "worker.concurrency",
    kind: "text",
    placeholder: "N",
    description: "How many jobs run at once, 1 to 100.",
  },
  {
    name: "label",
    key: "worker.labels",
    kind: "texts",
    placeholder: "KEY=VALUE",
    description: "What this worker offers to jobs that require it.",
  },
];

/** The flags of these settings. */
export function settingFlags(names: readonly string[]): readonly Flag[] {
  return SETTING_FLAGS.filter(({ name }) => names.includes(name));
}

/** What the flags say, as the configuration takes it. */
export function settingValues(names: readonly string[], values: ReadonlyMap<string, unknown>): Flags {
  const given = SETTING_FLAGS.filter(({ name }) => names.includes(name) && values.has(name));
  return Object.fromEntries(given.map(({ name, key, kind }) => [key, settingValue(values.get(name), kind)]));
}

/** As typed, a flag is a list of what was given; only some settings are lists. */
function settingValue(value: unknown, kind: Flag["kind"]): unknown {
  return Array.isArray(value) && kind !== "texts" ? value.at(-1) : value;
}
