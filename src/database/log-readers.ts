import { readFileSync, readlinkSync, statSync } from "node:fs";
import { basename } from "node:path";

/** A process that reads from the write-ahead log at this moment. */
export interface LogReader {
  readonly pid: number;
  /** The name of its program; empty where the system does not tell. */
  readonly program: string;
}

/** Bytes of the `-shm` file that readers lock (https://www.sqlite.org/walformat.html#locks). */
const [FIRST_READ_BYTE, LAST_READ_BYTE] = [123, 127];

/**
 * The processes that hold a reader's lock on the log of a database, this one included. `undefined` where the system does
 * not tell, which is everywhere but on Linux. Only statistics of the file are asked for: opening it beside SQLite would
 * drop this process's own locks.
 */
export function logReaders(databasePath: string): LogReader[] | undefined {
  const file = statSync(`${databasePath}-shm`, { throwIfNoEntry: false });
  if (file === undefined) return [];
  try {
    const pids = readFileSync("/proc/locks", "utf8")
      .split("\n")
      .flatMap((line) => readerOf(line, file.ino) ?? []);
    return [...new Set(pids)].map((pid) => ({ pid, program: programOf(pid) }));
  } catch {
    return undefined;
  }
}

/** Such a line is `12: POSIX  ADVISORY  READ 4711 fe:00:131077 124 124`. */
function readerOf(line: string, inode: number): number | undefined {
  const [, kind, , access, pid, file, from, to] = line.replace(" -> ", " ").split(/\s+/);
  if (kind !== "POSIX" || access !== "READ" || Number(file?.split(":")[2]) !== inode) return undefined;
  return Number(from) <= LAST_READ_BYTE && Number(to) >= FIRST_READ_BYTE ? Number(pid) : undefined;
}

/** Its name alone: a command line may hold secrets. (`comm` would be MainThread for every Node.js.) */
function programOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return "";
  }
}
