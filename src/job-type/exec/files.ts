import { join } from "node:path";
import type { ProgramFiles } from "../../host/local/program.ts";

/** The files of a program and its exit code, below an attempt's folder. */
export interface ExecFiles extends ProgramFiles {
  readonly exitCode: string;
}

/** Where they lie. The record is no evidence (`.part` is not kept): `exec/exit_code.txt` is written from it at the end. */
export function filesIn(folder: string): ExecFiles {
  return {
    stdout: join(folder, "exec/stdout.txt"),
    stderr: join(folder, "exec/stderr.txt"),
    exitCode: join(folder, "exec/exit_code.txt"),
    record: join(folder, "exec/exit_code.part"),
  };
}
