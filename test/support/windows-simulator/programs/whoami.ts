import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";

/** `whoami`, lower case as the real one. */
export function main(program: Program): number {
  if (program.args.length > 0) throw new NotModelled(`whoami ${program.args.join(" ")}`);
  const { user } = program.context;
  const isSystem = user.toUpperCase() === "SYSTEM";
  program.line(isSystem ? "nt authority\\system" : `${program.machine.settings.hostName}\\${user}`.toLowerCase());
  return 0;
}
