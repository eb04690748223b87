import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../until.ts";
import { guardMachine } from "./guardian.ts";
import { installWindows, putFile } from "./install.ts";
import { describeNotModelled, NOT_MODELLED_EVENT } from "./not-modelled.ts";
import { findPwsh, giveRealPowerShell } from "./powershell/real.ts";
import { endProcesses, type MachineProcess, runningProcesses } from "./processes.ts";
import { fireTrigger } from "./scheduled-tasks.ts";
import { writeSession } from "./session.ts";
import type { SimulatorConfig, SimulatorOptions } from "./simulator-options.ts";
import { type SshServer, startSshServer } from "./ssh-server.ts";
import { Machine } from "./state.ts";
import type { Failure, Listener, MachineEvent } from "./state-shapes.ts";
import { realPath } from "./windows-path.ts";

export type { SimulatorConfig, SimulatorOptions } from "./simulator-options.ts";

/** A simulated Windows machine behind a real sshd. See README.md for what it is like and what it is not. */
export class WindowsSimulator {
  readonly machine: Machine;
  readonly ssh: SshServer;
  readonly #release: () => Promise<void>;

  private constructor(machine: Machine, ssh: SshServer, release: () => Promise<void>) {
    this.machine = machine;
    this.ssh = ssh;
    this.#release = release;
  }

  static async start({ maxSessions, hasDesktop = true, ...settings }: SimulatorOptions): Promise<WindowsSimulator> {
    const folder = mkdtempSync(join(tmpdir(), "windlass-windows-"));
    const machine = Machine.create(folder, settings);
    installWindows(machine);
    machine.putService({ name: "sshd", displayName: "OpenSSH SSH Server" });
    machine.putService({ name: "Schedule", displayName: "Task Scheduler" });
    if (hasDesktop) machine.putSession({ id: 1, name: "console" });
    const pwsh = findPwsh();
    if (pwsh !== undefined) giveRealPowerShell(folder, pwsh);
    const ssh = await startSshServer({
      root: folder,
      forceCommand: writeSession(machine),
      ...(maxSessions === undefined ? {} : { maxSessions }),
    });
    return new WindowsSimulator(machine, ssh, guardMachine({ folder, ssh }));
  }

  get sshPort(): number {
    return this.ssh.port;
  }

  /** The real account that ssh logs on to; inside it is `machine.settings.user`. */
  get user(): string {
    return this.ssh.user;
  }

  get identityFile(): string {
    return this.ssh.identityFile;
  }

  get knownHosts(): string {
    return this.ssh.knownHosts;
  }

  /** The folder that is `C:\`. */
  get root(): string {
    return this.machine.drive;
  }

  /** The block of a config file under `windows`. */
  config(): SimulatorConfig {
    return {
      ssh_host: "127.0.0.1",
      ssh_port: this.sshPort,
      ssh_user: this.user,
      ssh_identity_file: this.identityFile,
      ssh_known_hosts: this.knownHosts,
    };
  }

  /** The real path of a Windows one. */
  path(windowsPath: string): string {
    const real = realPath(this.machine.folder, windowsPath, "C:\\");
    if (real === undefined) throw new Error(`${windowsPath} does not lie on C:`);
    return real;
  }

  putFile(windowsPath: string, content: string | Uint8Array): void {
    putFile(this.machine, windowsPath, content);
  }

  /** Locks every desktop. */
  lock(): void {
    this.#changeSessions({ locked: true });
  }

  unlock(): void {
    this.#changeSessions({ locked: false });
  }

  /** Closes the window on the desktop: programs live on, nobody sees them. */
  disconnect(): void {
    this.#changeSessions({ state: "Disc" });
  }

  /** Nobody is logged on. What ran on the desktop ends. */
  noSession(): void {
    for (const { id } of this.machine.sessions) {
      endProcesses(this.processes().filter(({ session }) => session === id));
      this.machine.removeSession(id);
    }
  }

  /** Somebody logs on at the desktop: tasks with that trigger start. */
  logOn(): void {
    this.machine.putSession({ id: 1, name: "console" });
    fireTrigger(this.machine, "AtLogOn");
  }

  firewall(rule: Parameters<Machine["putFirewallRule"]>[0]): void {
    this.machine.putFirewallRule(rule);
  }

  task(task: Parameters<Machine["putTask"]>[0]): void {
    this.machine.putTask(task);
  }

  /** The next start of a program (`schtasks.exe`), or the next `times`, ends with this code and does nothing. */
  fail(program: string, code: number, failure: Partial<Failure> = {}): void {
    this.machine.fail(program, { ...failure, code });
  }

  /** Says that a port is listened on; the test itself listens there, if anybody is to answer. */
  listen(port: number, listener: Partial<Listener> = {}): void {
    this.machine.putListener({ port, ...listener });
  }

  /** What really runs inside at this moment. */
  processes(image?: string): readonly MachineProcess[] {
    const running = runningProcesses(this.machine.folder);
    return image === undefined
      ? running
      : running.filter((process) => process.image.toLowerCase() === image.toLowerCase());
  }

  events(kind?: string, subject?: string): readonly MachineEvent[] {
    return this.machine.events(kind, subject);
  }

  cutConnections(): number {
    return this.ssh.cutConnections();
  }

  changeHostKey(): Promise<void> {
    return this.ssh.changeHostKey();
  }

  /** What was asked of the machine that it does not model. */
  get notModelled(): readonly MachineEvent[] {
    return this.machine.events(NOT_MODELLED_EVENT);
  }

  /**
   * Ends everything that it started and removes the folder.
   *
   * @throws Error when something was asked that it does not model, unless the test expected that.
   */
  async stop({ mayAskTheUnknown = false }: { readonly mayAskTheUnknown?: boolean } = {}): Promise<void> {
    const asked = mayAskTheUnknown ? [] : this.notModelled;
    await this.ssh.stop();
    // Something may be starting something at this moment.
    await until(() => this.#endAll(), { what: "nothing runs in the simulated machine" });
    this.machine.close();
    rmSync(this.machine.folder, { recursive: true, force: true, maxRetries: 5 });
    await this.#release();
    if (asked.length > 0) throw new Error(`asked of the simulator: ${describeNotModelled(asked)}`);
  }

  #endAll(): true | undefined {
    const left = this.processes();
    endProcesses(left);
    return left.length === 0 ? true : undefined;
  }

  #changeSessions(change: { readonly locked?: boolean; readonly state?: "Active" | "Disc" }): void {
    for (const session of this.machine.sessions) this.machine.putSession({ ...session, ...change });
  }
}

/** Starts one; resolves when it can be reached over SSH. */
export function startWindowsSimulator(options: SimulatorOptions = {}): Promise<WindowsSimulator> {
  return WindowsSimulator.start(options);
}
