import type { Program } from "../program.ts";

/** `timeout`: its input must be a console, which it never is over SSH or in a task. */
export function main(program: Program): number {
  program.error("ERROR: Input redirection is not supported, exiting the process immediately.\r\n");
  return 1;
}
