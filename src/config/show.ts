import { MASK } from "../redact.ts";
import type { LoadedConfig } from "./config.ts";
import { fieldValue } from "./schema/fields.ts";
import { DEFAULT_HOST, type Host, hostRows } from "./schema/hosts.ts";
import { maskUrls } from "./schema/mask.ts";
import { ROWS } from "./schema/schema.ts";
import { formatOrigin, type Setting } from "./schema/setting.ts";

/** One line of `config show`. */
export interface ShownSetting {
  readonly key: string;
  /** As a file would write it; empty for none; `***` for a secret. */
  readonly value: string;
  readonly origin: string;
}

/** Every setting with its value and its origin, secrets masked. */
export function showConfig({ config, origins }: LoadedConfig): readonly ShownSetting[] {
  const originOf = (key: string) => formatOrigin(origins.get(key) ?? { kind: "default" });
  const line = (key: string, row: Setting, value: unknown) => ({
    key,
    value: shown(row, value),
    origin: originOf(key),
  });
  const named = [...config.hosts].filter(([name]) => name !== DEFAULT_HOST);
  return [
    ...ROWS.map(([key, row]) => line(key, row, fieldValue(config, key, row.unit))),
    ...named.flatMap(([name, host]) =>
      rowsOf(host).map(([key, row]) => line(`hosts.${name}.${key}`, row, fieldValue(host, key, row.unit))),
    ),
  ];
}

function rowsOf(host: Host) {
  const blocks = new Set((["aloha", "playwright"] as const).filter((name) => host[name] !== undefined));
  return hostRows(blocks).filter(([, row]) => row.environmentOnly !== true);
}

function shown(row: Setting, value: unknown): string {
  if (row.secret === true) return value === undefined ? "" : MASK;
  return maskUrls(row.format(value));
}
