import { environmentNamesOf, PREFIXES, ROWS, type SettingKey } from "./schema/schema.ts";
import type { Setting } from "./schema/setting.ts";

/** A setting as documentation and help show it. */
export interface SettingDescription {
  readonly key: SettingKey;
  /** One sentence. */
  readonly description: string;
  /** Its variable, then those of its aliases; each also works with the prefix `WIN_AUTOMATION_`. */
  readonly environment: readonly string[];
  /** A variable of another program that is read when nothing of ours says it. */
  readonly foreignEnvironment?: string;
  readonly aliases: readonly string[];
  readonly flag?: string;
  /** `none` where there is no default. */
  readonly default: string;
  /** What is allowed, the range included. */
  readonly rule: string;
  readonly unit: string;
  readonly secret: boolean;
  readonly environmentOnly: boolean;
}

/** Every setting, in the order of the documentation. */
export function describeConfig(): readonly SettingDescription[] {
  return ROWS.map(([key, row]) => ({
    key,
    description: row.description,
    environment: environmentNamesOf(key, row).map((name) => PREFIXES[0] + name),
    ...(row.foreignEnvironment === undefined ? {} : { foreignEnvironment: row.foreignEnvironment }),
    aliases: row.aliases ?? [],
    ...(row.flag === undefined ? {} : { flag: row.flag }),
    default: defaultText(row),
    rule: row.rule,
    unit: row.unit,
    secret: row.secret === true,
    environmentOnly: row.environmentOnly === true,
  }));
}

function defaultText(row: Setting): string {
  if (row.defaultText !== undefined) return row.defaultText;
  if (row.default === undefined) return "none";
  const text = row.format(row.default);
  return text === "" && typeof row.default === "object" ? "none" : text || '""';
}
