import type { SettingKey, Settings } from "./schema.ts";
import type { Setting } from "./setting.ts";

/** `ssh_port` as TypeScript writes it: `sshPort`. */
export type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

/** `lease` with the unit `ms` is `leaseMs`; `kept_bytes` is `keptBytes`. */
type Field<Name extends string, Row> = Row extends { readonly unit: "ms" } ? `${Camel<Name>}Ms` : Camel<Name>;

type Value<Row> = Row extends Setting<infer T> ? T : never;

/** The words that stand before a dot: `worker`, `job`. */
export type GroupName = SettingKey extends infer Key ? (Key extends `${infer Name}.${string}` ? Name : never) : never;

/** The settings of one group as fields. */
export type Group<Name extends GroupName> = {
  readonly [Key in SettingKey as Key extends `${Name}.${infer Rest}` ? Field<Rest, Settings[Key]> : never]: Value<
    Settings[Key]
  >;
};

/** The settings without a group as fields. */
export type Loose = {
  readonly [Key in SettingKey as Key extends `${string}.${string}` ? never : Field<Key, Settings[Key]>]: Value<
    Settings[Key]
  >;
};

/** Where a setting stands in the configuration: group and field, or the field alone. */
export function fieldOf(key: string, unit: string): readonly string[] {
  const parts = key.split(".").map(camelCase);
  return unit === "ms" ? [...parts.slice(0, -1), `${parts.at(-1)}Ms`] : parts;
}

/** Puts values by key together: `worker.lease` of 15000 is `{ worker: { leaseMs: 15000 } }`. */
export function buildFields(
  rows: Iterable<readonly [string, Setting]>,
  read: (key: string) => unknown,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, { unit }] of rows) {
    const [first = "", second] = fieldOf(key, unit);
    if (second === undefined) fields[first] = read(key);
    else fields[first] = Object.assign(fields[first] ?? {}, { [second]: read(key) });
  }
  return fields;
}

/** Reads what {@link buildFields} wrote. */
export function fieldValue(fields: object, key: string, unit: string): unknown {
  let found: unknown = fields;
  for (const part of fieldOf(key, unit)) found = (found as Readonly<Record<string, unknown>> | undefined)?.[part];
  return found;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
