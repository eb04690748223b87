import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import { presentTask } from "../scheduled-tasks.ts";
import type { ScheduledTask } from "../state-shapes.ts";
import { readSwitches } from "./switches.ts";

/** `schtasks /Query [/TN name] [/FO TABLE|LIST|CSV] [/NH] [/V]`; `/V` with LIST only. */
export function queryTasks(args: readonly string[], program: Program): number {
  const { flags, values } = readSwitches("schtasks /Query", args, { flags: ["/NH", "/V"], values: ["/TN", "/FO"] });
  const name = values.get("/TN")?.[0];
  const names = name === undefined ? program.machine.tasks.map((task) => task.name) : [name];
  const tasks = names.flatMap((one) => presentTask(program.machine, one) ?? []);
  if (name !== undefined && tasks.length === 0) {
    program.error("ERROR: The system cannot find the file specified.\r\n");
    return 1;
  }
  const format = (values.get("/FO")?.[0] ?? "TABLE").toUpperCase();
  if (flags.has("/V") && format !== "LIST") throw new NotModelled(`schtasks /Query /V /FO ${format}`);
  if (format === "CSV") csv(tasks, flags.has("/NH"), program);
  else if (format === "LIST") for (const task of tasks) list(task, flags.has("/V"), program);
  else if (format === "TABLE") table(tasks, flags.has("/NH"), program);
  else throw new NotModelled(`schtasks /FO ${format}`);
  return 0;
}

function csv(tasks: readonly ScheduledTask[], isBare: boolean, program: Program): void {
  if (!isBare) program.line('"TaskName","Next Run Time","Status"');
  for (const { name, state } of tasks) program.line(`"\\${name}","N/A","${state}"`);
}

function table(tasks: readonly ScheduledTask[], isBare: boolean, program: Program): void {
  program.line("\r\nFolder: \\");
  if (!isBare) {
    program.line("TaskName                                 Next Run Time          Status         ");
    program.line("======================================== ====================== ===============");
  }
  for (const { name, state } of tasks) {
    program.line(`${name.slice(0, 40).padEnd(40)} ${"N/A".padEnd(22)} ${state.padEnd(15)}`);
  }
}

function list(task: ScheduledTask, isVerbose: boolean, program: Program): void {
  const width = isVerbose ? 38 : 15;
  const row = (label: string, value: string): void => program.line(`${`${label}:`.padEnd(width)}${value}`);
  program.line("\r\nFolder: \\");
  row("HostName", program.machine.settings.hostName);
  row("TaskName", `\\${task.name}`);
  row("Next Run Time", "N/A");
  row("Status", task.state);
  row("Logon Mode", task.logonType === "Interactive" ? "Interactive only" : "Interactive/Background");
  if (!isVerbose) return;
  row("Last Run Time", task.lastRunAtMs === null ? "11/30/1999 12:00:00 AM" : localTime(task.lastRunAtMs));
  // As a signed number.
  row("Last Result", String(task.lastResult | 0));
  row("Task To Run", `${task.execute} ${task.arguments}`.trim());
  row("Start In", task.workingDirectory ?? "N/A");
  row("Scheduled Task State", task.state === "Disabled" ? "Disabled" : "Enabled");
  row("Run As User", task.user);
}

function localTime(ms: number): string {
  return new Date(ms).toLocaleString("en-US", { timeZone: "UTC" }).replace(",", "").replaceAll("\u202f", " ");
}
