import { readFileSync } from "node:fs";
import { notStarted } from "./find-executable.ts";

/** The user and group that a program runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The account of a numeric user: its primary group stands in `/etc/passwd`; a user that does not gets the group of the
 * same number, so that a program never keeps the worker's group. `undefined` for this process's own user.
 *
 * @throws AppError `PROGRAM_NOT_STARTED` when this process may not change to it.
 */
export function accountOf(uid: number): Account | undefined {
  const own = process.geteuid?.();
  if (own === uid) return undefined;
  if (own !== 0) {
    throw notStarted(`exec.uid is ${uid}, which needs a worker that runs as root; start it so, or take exec.uid away`);
  }
  return { uid, gid: primaryGroup(uid) ?? uid };
}

function primaryGroup(uid: number): number | undefined {
  try {
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    const fields = lines.map((line) => line.split(":")).find((parts) => parts[2] === String(uid));
    return fields?.[3] === undefined ? undefined : Number(fields[3]);
  } catch {
    return undefined;
  }
}
