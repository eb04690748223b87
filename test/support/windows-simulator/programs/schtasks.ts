import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import { endTask, startTask } from "../scheduled-tasks.ts";
import { createTask } from "./schtasks-create.ts";
import { queryTasks } from "./schtasks-query.ts";
import { readSwitches } from "./switches.ts";

const NOT_FOUND = "The system cannot find the file specified.";

/** `schtasks`: https://learn.microsoft.com/windows-server/administration/windows-commands/schtasks */
export function main(program: Program): number {
  const [verb = "", ...rest] = program.args;
  switch (verb.toUpperCase()) {
    case "":
    case "/QUERY":
      return queryTasks(rest, program);
    case "/CREATE":
      return createTask(rest, program);
    case "/RUN":
      return run(rest, program);
    case "/END":
      return end(rest, program);
    case "/DELETE":
      return remove(rest, program);
    case "/CHANGE":
      return change(rest, program);
    default:
      throw new NotModelled(`schtasks ${verb}`);
  }
}

function run(args: readonly string[], program: Program): number {
  const name = nameOf(readSwitches("schtasks /Run", args, { flags: ["/I"], values: ["/TN"] }).values);
  switch (startTask(program.machine, name)) {
    case "missing":
      return failed(program, NOT_FOUND);
    case "disabled":
      return failed(program, "The task is disabled.");
    case "ignored":
      program.line(`INFO: scheduled task "${name}" is currently running.`);
      break;
    // The program says that it tried, whatever comes of it.
    case "not-logged-on":
    case "started":
      break;
  }
  program.line(`SUCCESS: Attempted to run the scheduled task "${name}".`);
  return 0;
}

function end(args: readonly string[], program: Program): number {
  const name = nameOf(readSwitches("schtasks /End", args, { flags: [], values: ["/TN"] }).values);
  if (program.machine.task(name) === undefined) return failed(program, NOT_FOUND);
  const hasEnded = endTask(program.machine, name);
  if (hasEnded) program.line(`SUCCESS: The scheduled task "${name}" has been terminated successfully.`);
  else program.line(`INFO: There are no running instances of the task "${name}".`);
  return 0;
}

function remove(args: readonly string[], program: Program): number {
  const { flags, values } = readSwitches("schtasks /Delete", args, { flags: ["/F"], values: ["/TN"] });
  const name = nameOf(values);
  if (!flags.has("/F")) throw new NotModelled("schtasks /Delete without /F, which asks");
  // What runs goes on; nobody restarts it.
  if (!program.machine.removeTask(name)) return failed(program, NOT_FOUND);
  program.line(`SUCCESS: The scheduled task "${name}" was successfully deleted.`);
  return 0;
}

function change(args: readonly string[], program: Program): number {
  const { flags, values } = readSwitches("schtasks /Change", args, { flags: ["/ENABLE", "/DISABLE"], values: ["/TN"] });
  const name = nameOf(values);
  if (flags.size !== 1) throw new NotModelled(`schtasks /Change ${args.join(" ")}`);
  if (program.machine.task(name) === undefined) return failed(program, NOT_FOUND);
  program.machine.changeTask(name, { state: flags.has("/ENABLE") ? "Ready" : "Disabled" }, "task.changed");
  program.line(`SUCCESS: The parameters of scheduled task "${name}" have been changed.`);
  return 0;
}

function nameOf(values: ReadonlyMap<string, readonly string[]>): string {
  const name = values.get("/TN")?.[0];
  if (name === undefined) throw new NotModelled("schtasks without /TN");
  return name.replace(/^\\/, "");
}

function failed(program: Program, message: string): number {
  program.error(`ERROR: ${message}\r\n`);
  return 1;
}
