import { closeSync, constants, fchownSync, openSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import type { Account } from "./account.ts";
import { RECORD_BYTES } from "./exit-record.ts";
import type { ProgramFiles } from "./program.ts";

/** Descriptors for a program to inherit. */
export interface OpenFiles {
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  readonly record: number;
  /** `/dev/null`. */
  readonly nothing: number;
  close(): void;
}

const NEW = constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Opens the files of a program, 0600; those of an earlier program in the same place are removed first. */
export function openFiles(
  files: ProgramFiles,
  { stdin, owner }: { readonly stdin: string | undefined; readonly owner: Account | undefined },
): OpenFiles {
  const opened: number[] = [];
  const close = (): void => {
    for (const descriptor of opened.splice(0)) closeSync(descriptor);
  };
  const open = (path: string, flags: number): number => {
    const descriptor = openSync(path, flags, 0o600);
    opened.push(descriptor);
    return descriptor;
  };
  const create = (path: string, flags: number): number => {
    remove(path);
    const descriptor = open(path, flags | NEW);
    // So that a program may open /dev/stdout and its like again, which asks for the file's own permission.
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    return descriptor;
  };
  try {
    const nothing = open("/dev/null", constants.O_RDWR);
    const record = create(files.record, constants.O_RDWR);
    // At a place of its own, not by appending, so that the program's parent starts to write at the beginning.
    writeSync(record, " ".repeat(RECORD_BYTES), 0);
    return {
      nothing,
      record,
      stdout: create(files.stdout, constants.O_WRONLY | constants.O_APPEND),
      stderr: create(files.stderr, constants.O_WRONLY | constants.O_APPEND),
      stdin: stdin === undefined ? nothing : openStdin(`${files.record}.stdin`, stdin, { open, create }),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** The text may be a secret: its file has lost its name before the first byte is in it. */
function openStdin(
  path: string,
  text: string,
  { open, create }: { open(path: string, flags: number): number; create(path: string, flags: number): number },
): number {
  const writer = create(path, constants.O_WRONLY);
  const reader = open(path, constants.O_RDONLY);
  unlinkSync(path);
  writeFileSync(writer, text);
  return reader;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
