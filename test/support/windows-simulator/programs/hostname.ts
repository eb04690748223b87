import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";

/** `hostname`. */
export function main(program: Program): number {
  if (program.args.length > 0) throw new NotModelled(`hostname ${program.args.join(" ")}`);
  program.line(program.machine.settings.hostName);
  return 0;
}
