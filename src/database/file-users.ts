import { readFileSync, readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";

/** A process that holds a lock on a file of a database. */
export interface FileUser {
  readonly pid: number;
  /** The name of its program; empty where the system does not tell. */
  readonly program: string;
}

interface FileLock {
  readonly pid: number;
  readonly inode: number;
  readonly access: string;
  readonly from: number;
  readonly to: number;
}

/** Bytes of the `-shm` file that readers lock (https://www.sqlite.org/walformat.html#locks). */
const [FIRST_READ_BYTE, LAST_READ_BYTE] = [123, 127];

/**
 * The processes that read from the write-ahead log of a database at this moment, this one included. `undefined` where the
 * system does not tell, which is everywhere but on Linux.
 */
export function logReaders(databasePath: string): FileUser[] | undefined {
  const inode = inodeOf(`${databasePath}-shm`);
  return describe(
    fileLocks()?.filter(
      (lock) =>
        lock.inode === inode && lock.access === "READ" && lock.from <= LAST_READ_BYTE && lock.to >= FIRST_READ_BYTE,
    ),
  );
}

/** The processes that have a database open, this one left out; as {@link logReaders}. */
export function fileUsers(databasePath: string): FileUser[] | undefined {
  const inodes = [databasePath, `${databasePath}-shm`].map(inodeOf);
  return describe(fileLocks()?.filter(({ inode, pid }) => inodes.includes(inode) && pid !== process.pid));
}

/** Names processes in a sentence. */
export function sayUsers(users: readonly FileUser[] | undefined, what: string): string {
  if (users === undefined) return `a ${what} that this system does not name (\`lsof\` may)`;
  if (users.length === 0) return `a ${what} on another machine or in another container`;
  return users
    .map(({ pid, program }) => `pid ${pid}${pid === process.pid ? " (this process)" : program && ` (${program})`}`)
    .join(", ");
}

/** Only statistics of the files are asked for: opening one beside SQLite would drop this process's own locks. */
function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** A line is `12: POSIX  ADVISORY  READ 4711 fe:00:131077 124 124`; one with an arrow waits for the lock. */
function fileLocks(): FileLock[] | undefined {
  try {
    return readFileSync("/proc/locks", "utf8")
      .split("\n")
      .map((line) => line.split(/\s+/))
      .filter(([, kind]) => kind === "POSIX")
      .map(([, , , access = "", pid, file, from, to]) => ({
        pid: Number(pid),
        inode: Number(file?.split(":")[2]),
        access,
        from: Number(from),
        to: to === "EOF" ? Number.POSITIVE_INFINITY : Number(to),
      }));
  } catch {
    return undefined;
  }
}

function describe(locks: readonly FileLock[] | undefined): FileUser[] | undefined {
  if (locks === undefined) return undefined;
  return [...new Set(locks.map(({ pid }) => pid))].map((pid) => ({ pid, program: programOf(pid) }));
}

/** Its name alone: a command line may hold secrets. (`comm` would be MainThread for every Node.js.) */
function programOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return "";
  }
}
