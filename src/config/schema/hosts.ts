import { buildFields, type Group } from "./fields.ts";
import { labels } from "./lists.ts";
import { ALOHA, PLAYWRIGHT, WINDOWS } from "./machines.ts";
import type { Setting } from "./setting.ts";

/** A Windows machine that jobs can name. */
export type Host = Group<"windows"> & {
  /** Absent: the machine has no Aloha. */
  readonly aloha?: Group<"aloha">;
  /** Absent: the machine has no browser server. */
  readonly playwright?: Group<"playwright">;
  readonly labels: Readonly<Record<string, string>>;
};

/** The name of the machine that the top-level blocks describe. */
export const DEFAULT_HOST = "default";

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The settings of a named host by their keys inside its block: `ssh_port`, `aloha.server_url`, `labels`. */
export const HOST_ROWS: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ...Object.entries(WINDOWS).map(([key, row]) => [key.slice("windows.".length), row] as const),
  ...Object.entries({ ...ALOHA, ...PLAYWRIGHT }),
  ["labels", labels({ description: "What the machine offers to jobs that require it." })],
]);

/** A reason against the name of a host. */
export function refuseHostName(name: string): string | undefined {
  if (name === DEFAULT_HOST) return "is made of the blocks windows, aloha and playwright; write its keys there";
  return HOST_NAME.test(name) ? undefined : "is not a name of letters, digits and . _ - (up to 63)";
}

/** The rows of a host: those of the blocks `aloha` and `playwright` only where its file has the block. */
export function hostRows(blocks: ReadonlySet<string>): readonly (readonly [string, Setting])[] {
  return [...HOST_ROWS].filter(([key]) => !key.includes(".") || blocks.has(key.slice(0, key.indexOf("."))));
}

/** Puts a host together; settings without a value have their default. */
export function buildHost(blocks: ReadonlySet<string>, values: ReadonlyMap<string, unknown>): Host {
  const read = (key: string) => (values.has(key) ? values.get(key) : HOST_ROWS.get(key)?.default);
  // The rows are those of the type: both come from the same tables.
  return buildFields(hostRows(blocks), read) as unknown as Host;
}
