import type { ProgramEnd } from "./exit-record.ts";
import { processTable } from "./process-table.ts";

/** How a program is known again: its parent's number alone may be somebody else's by now. */
export interface ProgramId {
  /** Of the program's parent, which leads the program's session and process group. */
  readonly pid: number;
  readonly startTime: string;
  readonly nonce: string;
}

/** The files of one program, absolute paths. */
export interface ProgramFiles {
  readonly stdout: string;
  readonly stderr: string;
  /** Where the program's parent writes how it ended. */
  readonly record: string;
}

/** A program that runs, started by this process or by one that is gone. */
export interface RunningProgram {
  readonly id: ProgramId;
  readonly files: ProgramFiles;
  /**
   * Settles when the program and its parent have ended; never after {@link letGo}.
   *
   * @throws AppError `PROGRAM_NOT_STARTED` when it turns out never to have run.
   */
  readonly ended: Promise<ProgramEnd>;
  /** Stops looking at it. The program goes on. */
  letGo(): void;
}

/** True while the program's parent lives. A process that got the same number later is not taken for it. */
export function isAlive({ pid, startTime, nonce }: ProgramId): boolean {
  const table = processTable();
  const facts = table.read(pid);
  return facts !== undefined && !facts.ended && facts.startTime === startTime && table.command(pid).includes(nonce);
}
