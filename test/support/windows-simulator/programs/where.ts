import { findCommand } from "../executables.ts";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";

/** `where NAME…`: weaker than Windows in that it prints the first place only. */
export function main(program: Program): number {
  const { context, cwd, environment, args } = program;
  let code = 0;
  for (const name of args) {
    if (name.startsWith("/")) throw new NotModelled(`where ${name}`);
    const found = findCommand(name, { folder: context.folder, cwd, environment });
    if (found !== undefined) program.line(found);
    else {
      program.error("INFO: Could not find files for the given pattern(s).\r\n");
      code = 1;
    }
  }
  return code;
}
