import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";

/** `quser`. */
export function main(program: Program): number {
  if (program.args.length > 0) throw new NotModelled(`quser ${program.args.join(" ")}`);
  return printUsers(program);
}

/** Who is logged on; nobody is a failure. */
export function printUsers(program: Program): number {
  const sessions = program.machine.sessions.filter(({ interactive }) => interactive);
  if (sessions.length === 0) {
    program.error("No User exists for *\r\n");
    return 1;
  }
  program.line(" USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME");
  for (const { user, name, id, state } of sessions) {
    const shown = state === "Active" ? name : "";
    program.line(
      ` ${user.padEnd(20)}  ${shown.padEnd(17)} ${String(id).padStart(3)}  ${state.padEnd(8)}    none   1/2/2025 9:00 AM`,
    );
  }
  return 0;
}
