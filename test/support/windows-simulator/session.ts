import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initialEnvironment, profileFolder } from "./environment.ts";
import { realEnvironment, VARIABLES } from "./process-context.ts";
import { MARK } from "./processes.ts";
import { type Machine, SHELL_FILE } from "./state.ts";
import { realPath } from "./windows-path.ts";

const OPEN_SHELL = fileURLToPath(new URL("./open-shell.ts", import.meta.url));

/**
 * Writes the program of every SSH session and returns its line for `sh`. It is the job object of Windows OpenSSH
 * (`contrib/win32/win32compat/w32-doexec.c`: KILL_ON_JOB_CLOSE, its last handle in the top process): it starts the shell,
 * waits for it, kills all that is left of the job and ends with the last 8 bits of the code. It is `sh` because a second
 * Node would double the time of every command. It does not look at the connection: when that is cut, the command lives on.
 */
export function writeSession(machine: Machine): string {
  const { folder, settings } = machine;
  const environment = initialEnvironment(settings, settings.user);
  const profile = profileFolder(settings.user);
  const context = { folder, job: "", session: 0, user: settings.user };
  const constant = Object.entries({
    ...realEnvironment(context, environment),
    HOME: realPath(folder, profile, "C:\\"),
  });
  const variables = constant
    .filter(([name]) => name !== VARIABLES.job)
    .map(([name, value]) => quote(`${name}=${value}`));
  const script = join(folder, "session.sh");
  writeFileSync(
    script,
    `read -r id < /proc/sys/kernel/random/uuid
job="ssh-$id"
code_file=${quote(folder)}/exits/$id
read -r shell < ${quote(join(folder, SHELL_FILE))}
cd ${quote(realPath(folder, profile, "C:\\") ?? folder)}
# The environment of this process itself has no ${VARIABLES.job}: it does not kill itself below.
env -i ${variables.join(" ")} ${VARIABLES.job}="$job" ${VARIABLES.image}="$shell" ${VARIABLES.cwd}=${quote(profile)} \\
  ${VARIABLES.exitFile}="$code_file" SSH_CONNECTION="$SSH_CONNECTION" SSH_CLIENT="$SSH_CLIENT" \\
  ${quote(process.execPath)} --disable-warning=ExperimentalWarning ${quote(OPEN_SHELL)} ${MARK} "$SSH_ORIGINAL_COMMAND"
# Who writes no code was ended by somebody: TerminateProcess(…, 1).
code=1
if [ -e "$code_file" ]; then read -r code < "$code_file"; rm "$code_file"; fi
while :; do
  left=$(grep -lzxsF "${VARIABLES.job}=$job" /proc/[0-9]*/environ)
  [ -z "$left" ] && break
  for file in $left; do pid=\${file#/proc/}; kill -9 "\${pid%/environ}" 2>/dev/null; done
done
exit $((code & 255))
`,
  );
  return `exec /bin/sh ${quote(script)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
