import { existsSync } from "node:fs";
import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import { realPath } from "../windows-path.ts";

/** `icacls PATH /inheritance:r /grant[:r] WHO:RIGHTS… /remove WHO`: kept as events, enforced nowhere. */
export function main(program: Program): number {
  const [path, ...rest] = program.args;
  if (path === undefined || rest.length === 0) throw new NotModelled("icacls that only shows");
  for (const word of rest) {
    const isSwitch = /^\/(inheritance:[edr]|grant(:r)?|remove(:[gd])?|t|c|q)$/i.test(word);
    if (!isSwitch && word.startsWith("/")) throw new NotModelled(`icacls ${word}`);
  }
  const real = realPath(program.context.folder, path, program.cwd);
  if (real === undefined || !existsSync(real)) {
    program.error(`${path}: The system cannot find the file specified.\r\n`);
    program.line("Successfully processed 0 files; Failed processing 1 files");
    return 2;
  }
  program.machine.record("acl.changed", path, rest);
  program.line(`processed file: ${path}`);
  program.line("Successfully processed 1 files; Failed processing 0 files");
  return 0;
}
