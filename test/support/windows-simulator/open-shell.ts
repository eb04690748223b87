import { quoteArgument } from "./command-line.ts";
import { readExecutable } from "./executables.ts";
import { ownContext, required, VARIABLES } from "./process-context.ts";
import { MARK } from "./processes.ts";
import { runMain } from "./run-main.ts";

// The top process of an SSH session: what Windows OpenSSH starts for a command (contrib/win32/win32compat/w32-doexec.c).
// open-shell.ts --command-line RAW-COMMAND.
const [mark, command] = process.argv.slice(2);
if (mark !== MARK || command === undefined) throw new Error("wrong arguments");

const { folder } = ownContext();
const shell = required(VARIABLES.image);
const executable = readExecutable(folder, shell);
if (executable.kind !== "module") throw new Error(`DefaultShell ${shell} is no program of the simulator`);
await runMain(executable.target, shellLine(shell, command), ({ machine }) =>
  machine.record("ssh.command", shell, { command }),
);

/** The raw line of the shell: cmd is given the command with no escaping at all, everything else one escaped argument. */
function shellLine(path: string, raw: string): string {
  if (raw === "") return `"${path}"`;
  return path.toLowerCase().includes("system32\\cmd") ? `"${path}" /c "${raw}"` : `"${path}" -c ${quoteArgument(raw)}`;
}
