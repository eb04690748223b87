import { endProcesses, type MachineProcess, processTable, treeOf } from "../processes.ts";
import type { Program } from "../program.ts";
import { readSwitches } from "./switches.ts";

/** What `taskkill` ends with when a process is not there. */
const NOT_FOUND = 128;

/**
 * `taskkill [/F] [/T] /PID n… | /IM name…`: only processes of this machine. Without `/F` it only asks, and a console
 * program does not listen.
 */
export function main(program: Program): number {
  const { flags, values } = readSwitches("taskkill", program.args, { flags: ["/F", "/T"], values: ["/PID", "/IM"] });
  const processes = processTable(program.machine);
  const wanted = [...(values.get("/PID") ?? []), ...(values.get("/IM") ?? [])];
  if (wanted.length === 0) {
    program.error(
      'ERROR: Invalid syntax. Neither /FI nor /PID nor /IM were specified.\r\nType "TASKKILL /?" for usage.\r\n',
    );
    return 1;
  }
  const codes = wanted.map((name) => {
    const found = processes.filter(
      ({ pid, image }) => String(pid) === name || image.toLowerCase() === name.toLowerCase(),
    );
    if (found.length > 0) return Math.max(...found.map((one) => end(one, processes, flags, program)));
    program.error(`ERROR: The process "${name}" not found.\r\n`);
    return NOT_FOUND;
  });
  return Math.max(...codes);
}

function end(
  wanted: MachineProcess,
  processes: readonly MachineProcess[],
  flags: ReadonlySet<string>,
  program: Program,
): number {
  const tree = flags.has("/T") ? treeOf(processes, wanted.pid) : [wanted];
  if (tree.some(({ isReal }) => !isReal)) {
    program.error(
      `ERROR: The process with PID ${wanted.pid} could not be terminated.\r\nReason: Access is denied.\r\n`,
    );
    return 1;
  }
  if (!flags.has("/F")) {
    program.error(
      `ERROR: The process with PID ${wanted.pid} could not be terminated.\r\nReason: This process can only be terminated forcefully (with /F option).\r\n`,
    );
    return 1;
  }
  for (const { pid, parentPid, image } of tree.toReversed()) {
    program.machine.record("process.killed", image, { pid, by: program.commandLine });
    if (flags.has("/T")) {
      program.line(`SUCCESS: The process with PID ${pid} (child process of PID ${parentPid}) has been terminated.`);
    } else program.line(`SUCCESS: The process with PID ${pid} has been terminated.`);
  }
  endProcesses(tree);
  return 0;
}
