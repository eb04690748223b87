import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { until } from "../../until.ts";
import { executableText } from "../executables.ts";
import { installWindows, putFile } from "../install.ts";
import { endProcesses, runningProcesses } from "../processes.ts";
import { writeSession } from "../session.ts";
import { Machine } from "../state.ts";
import type { MachineSettings } from "../state-shapes.ts";
import { giveRealPowerShell } from "./real.ts";

/** One session of the machine, as a client sees it. */
export interface LocalProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<{ readonly failure?: undefined }>;
  kill(): void;
}

/**
 * A simulated machine without an SSH server: a session is a process of this one. As with sshd, what is cut off sees the end
 * of its input and nothing else.
 */
export class LocalMachine implements AsyncDisposable {
  readonly machine: Machine;
  readonly sessions: LocalProcess[] = [];
  readonly #line: string;

  constructor(settings: Partial<MachineSettings> = {}) {
    this.machine = Machine.create(mkdtempSync(join(tmpdir(), "windlass-windows-")), settings);
    installWindows(this.machine);
    this.#line = writeSession(this.machine);
  }

  async start(command: string, { signal }: { readonly signal: AbortSignal }): Promise<LocalProcess> {
    signal.throwIfAborted();
    const env = { PATH: process.env["PATH"] ?? "", SSH_ORIGINAL_COMMAND: command };
    const child = spawn("sh", ["-c", this.#line], { env, stdio: "pipe", detached: true });
    const { stdin, stdout, stderr } = child;
    // Our ends are closed; whoever is over there is not ended.
    const kill = (): void => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
    };
    signal.addEventListener("abort", kill, { once: true });
    const ended = once(child, "close").then(() => ({}));
    const session = { stdin, stdout, stderr, ended, kill };
    this.sessions.push(session);
    return session;
  }

  /** Ends all that runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.kill();
    const look = (): true | undefined => {
      const left = runningProcesses(this.machine.folder);
      endProcesses(left);
      return left.length === 0 ? true : undefined;
    };
    await until(look, { what: "nothing runs in the simulated machine" });
    this.machine.close();
    rmSync(this.machine.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Programs of the real system that the machine has: what a test needs to look at bytes, codes and processes. */
const LINUX = ["cat", "head", "printf", "sh", "sleep", "true"];

/** A machine with some programs of the real system and one batch file; with the real PowerShell where that is given. */
export function openMachine({
  pwsh,
  ...settings
}: Partial<MachineSettings> & { readonly pwsh: string | undefined }): LocalMachine {
  const opened = new LocalMachine(settings);
  const { machine } = opened;
  const folder = LINUX_FOLDERS.find((path) => existsSync(join(path, "true"))) ?? "/bin";
  for (const name of LINUX) {
    putFile(machine, `C:\\Tools\\${name}.exe`, executableText("linux", join(folder, name)));
  }
  putFile(machine, "C:\\Tools\\say.cmd", "@echo %*\r\n");
  if (pwsh !== undefined) giveRealPowerShell(machine.folder, pwsh);
  return opened;
}

const LINUX_FOLDERS = ["/usr/bin", "/bin"];
