import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../test/support/until.ts";
import { executableText } from "../../test/support/windows-simulator/executables.ts";
import { guardMachine } from "../../test/support/windows-simulator/guardian.ts";
import { installWindows, putFile } from "../../test/support/windows-simulator/install.ts";
import { endProcesses, runningProcesses } from "../../test/support/windows-simulator/processes.ts";
import { writeSession } from "../../test/support/windows-simulator/session.ts";
import { type SshServer, startSshServer } from "../../test/support/windows-simulator/ssh-server.ts";
import { Machine } from "../../test/support/windows-simulator/state.ts";

/** One sshd for everybody who is measured. */
export interface BenchMachine extends AsyncDisposable {
  readonly ssh: SshServer;
  /** What stands behind `powershell`. */
  readonly shell: string;
  /** The program that does nothing, as a `windows.exec` job names it; over ssh and for Ansible it is {@link TRUE}. */
  readonly program: string;
}

/** A program of the real system: its start is all that it costs. */
export const TRUE = "/usr/bin/true";

/**
 * A line that begins with `powershell` starts the stand-in, or the real PowerShell; every other line goes to `sh`, so what
 * plain ssh and Ansible start is as quick as it can be: no simulated cmd.exe stands in their way.
 */
export function startBenchMachine(pwsh: string | undefined): Promise<BenchMachine> {
  return pwsh === undefined ? startStandIn() : startReal(pwsh);
}

async function startStandIn(): Promise<BenchMachine> {
  const folder = mkdtempSync(join(tmpdir(), "windlass-windows-"));
  const machine = Machine.create(folder);
  installWindows(machine);
  putFile(machine, "C:\\Tools\\quick.exe", executableText("linux", TRUE));
  const ssh = await startSshServer({ root: folder, forceCommand: divided(writeSession(machine)), maxSessions: 64 });
  const release = guardMachine({ folder, ssh });
  return {
    ssh,
    shell: "the stand-in of PowerShell",
    program: "quick.exe",
    [Symbol.asyncDispose]: async () => {
      await ssh.stop();
      await until(() => endAll(folder), { what: "nothing runs in the simulated machine" });
      machine.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      await release();
    },
  };
}

function endAll(folder: string): true | undefined {
  const left = runningProcesses(folder);
  endProcesses(left);
  return left.length === 0 ? true : undefined;
}

async function startReal(pwsh: string): Promise<BenchMachine> {
  const folder = mkdtempSync(join(tmpdir(), "windlass-pwsh-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(pwsh, join(bin, "powershell"));
  const start = join(folder, "start.sh");
  writeFileSync(
    start,
    `#!/bin/sh\nexport PATH='${bin}':"$PATH" HOME='${folder}' SHELL=/bin/sh POWERSHELL_TELEMETRY_OPTOUT=1 POWERSHELL_UPDATECHECK=Off\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n`,
  );
  chmodSync(start, 0o755);
  const ssh = await startSshServer({ forceCommand: divided(`exec '${start}'`), maxSessions: 64 });
  return {
    ssh,
    shell: "the real PowerShell 7 on Linux",
    program: TRUE,
    [Symbol.asyncDispose]: async () => {
      await ssh.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function divided(powershell: string): string {
  return `case "$SSH_ORIGINAL_COMMAND" in powershell*) ${powershell};; *) exec /bin/sh -c "$SSH_ORIGINAL_COMMAND";; esac`;
}

/** The real PowerShell where the environment names one. */
export function realPwsh(): string | undefined {
  const named = process.env["WINDLASS_TEST_PWSH"];
  return named !== undefined && existsSync(named) ? named : undefined;
}
