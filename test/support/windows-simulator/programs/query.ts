import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import { printUsers } from "./quser.ts";

/** `query session` and `query user`. */
export function main(program: Program): number {
  const [what = "", ...more] = program.args;
  if (more.length > 0) throw new NotModelled(`query ${program.args.join(" ")}`);
  if (what.toLowerCase() === "user") return printUsers(program);
  if (what.toLowerCase() !== "session") throw new NotModelled(`query ${what}`);
  const { sessions } = program.machine;
  program.line(" SESSIONNAME       USERNAME                 ID  STATE   TYPE        DEVICE ");
  program.line(row({ name: "services", user: "", id: 0, state: "Disc" }));
  for (const { name, user, id, state } of sessions) {
    // A disconnected session has lost its name.
    program.line(row({ name: state === "Active" ? name : "", user, id, state }));
  }
  if (!sessions.some(({ name, state }) => name === "console" && state === "Active")) {
    program.line(row({ name: "console", user: "", id: sessions.length + 1, state: "Conn" }));
  }
  return 0;
}

function row({
  name,
  user,
  id,
  state,
}: {
  readonly name: string;
  readonly user: string;
  readonly id: number;
  readonly state: string;
}): string {
  return ` ${name.padEnd(17)} ${user.padEnd(20)} ${String(id).padStart(6)}  ${state.padEnd(8)}${" ".repeat(20)}`;
}
