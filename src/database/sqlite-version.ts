/** Versions before this one can corrupt a file when two connections checkpoint and commit at the same moment (https://www.sqlite.org/wal.html#walresetbug). */
export const SQLITE_MIN = [3, 51, 3] as const;

/** True for a version that several processes may write with. */
export function isSafeSqlite(version: string): boolean {
  const found = version.split(".").map(Number);
  const order = SQLITE_MIN.findIndex((part, index) => (found[index] ?? 0) !== part);
  return order === -1 || (found[order] ?? 0) > (SQLITE_MIN[order] ?? 0);
}
