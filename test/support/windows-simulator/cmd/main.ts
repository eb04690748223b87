import { findCommand } from "../executables.ts";
import type { Program } from "../program.ts";
import { Interpreter } from "./interpreter.ts";
import { readSwitches } from "./switches.ts";

/** https://learn.microsoft.com/troubleshoot/windows-client/shell-experience/command-line-string-limitation */
const LINE_LENGTH_MAX = 8_191;

/** `cmd.exe`. */
export async function main(program: Program): Promise<number> {
  // Stricter than Windows by the few characters of `cmd.exe /c`.
  if (program.commandLine.length > LINE_LENGTH_MAX) {
    program.error("The command line is too long.\r\n");
    return 1;
  }
  const lookup = { folder: program.context.folder, cwd: program.cwd, environment: program.environment };
  const switches = readSwitches(program.rawArguments, (name) => findCommand(name, lookup) !== undefined);
  const interpreter = new Interpreter(program, { delayedExpansion: switches.delayedExpansion });
  if (switches.command !== undefined) {
    await interpreter.runLine(switches.command);
    if (!switches.staysOpen) return interpreter.exitCode;
  }
  await interpreter.readInput();
  return interpreter.exitCode;
}
