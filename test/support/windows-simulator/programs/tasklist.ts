import { NotModelled } from "../not-modelled.ts";
import { type MachineProcess, processTable } from "../processes.ts";
import type { Program } from "../program.ts";
import { readSwitches } from "./switches.ts";

const FLAGS = ["/NH"];
const VALUES = ["/FI", "/FO"];

/** `tasklist [/FI "IMAGENAME eq x"] [/FO TABLE|CSV] [/NH]`; nothing found is no failure. */
export function main(program: Program): number {
  const { flags, values } = readSwitches("tasklist", program.args, { flags: FLAGS, values: VALUES });
  const filters = (values.get("/FI") ?? []).map(readFilter);
  const found = processTable(program.machine).filter((process) => filters.every((passes) => passes(process)));
  if (found.length === 0) {
    program.line("INFO: No tasks are running which match the specified criteria.");
    return 0;
  }
  const format = (values.get("/FO")?.[0] ?? "TABLE").toUpperCase();
  if (format === "CSV") {
    if (!flags.has("/NH")) program.line('"Image Name","PID","Session Name","Session#","Mem Usage"');
    for (const process of found)
      program.line(
        cells(process)
          .map((cell) => `"${cell}"`)
          .join(","),
      );
    return 0;
  }
  if (format !== "TABLE") throw new NotModelled(`tasklist /FO ${format}`);
  if (!flags.has("/NH")) {
    program.line("\r\nImage Name                     PID Session Name        Session#    Mem Usage");
    program.line("========================= ======== ================ =========== ============");
  }
  for (const process of found) {
    const [image = "", pid = "", name = "", session = "", memory = ""] = cells(process);
    program.line(
      `${image.slice(0, 25).padEnd(25)} ${pid.padStart(8)} ${name.padEnd(16)} ${session.padStart(11)} ${memory.padStart(12)}`,
    );
  }
  return 0;
}

function cells({ image, pid, session, memoryKb }: MachineProcess): readonly string[] {
  const name = session === 0 ? "Services" : "Console";
  return [image, String(pid), name, String(session), `${memoryKb.toLocaleString("en-US")} K`];
}

function readFilter(text: string): (process: MachineProcess) => boolean {
  const [, field = "", operator, value = ""] = /^(\w+)\s+(eq|ne)\s+(.+)$/i.exec(text.trim()) ?? [];
  const key = field.toUpperCase();
  if (operator === undefined || !["IMAGENAME", "PID", "SESSION"].includes(key))
    throw new NotModelled(`tasklist /FI "${text}"`);
  const isWanted = operator.toLowerCase() === "eq";
  return ({ image, pid, session }) => {
    const actual = key === "IMAGENAME" ? image : String(key === "PID" ? pid : session);
    return (actual.toLowerCase() === value.toLowerCase()) === isWanted;
  };
}
