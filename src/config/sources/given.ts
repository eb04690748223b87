import type { Origin, Setting } from "../schema/setting.ts";

/** What one source says about one setting, not read yet. */
export interface Given {
  readonly value: unknown;
  readonly origin: Origin;
  /** Relative paths start here. */
  readonly folder: string;
}

/**
 * Reads a value against its row of the schema.
 *
 * @throws AppError `CONFIG`
 */
export function readGiven(key: string, row: Setting, given: Given, home: string): unknown {
  const { value, origin, folder } = given;
  return row.parse(value, { key, origin, folder, home, secret: row.secret === true });
}
