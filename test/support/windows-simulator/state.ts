import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DEFAULTS,
  type Failure,
  type FirewallRule,
  type FolderAccess,
  type Listener,
  type MachineEvent,
  type MachineKinds,
  type MachineSettings,
  type ScheduledTask,
  type Service,
  type Session,
} from "./state-shapes.ts";
import { Things } from "./things.ts";
import { wholePath } from "./windows-path.ts";

/** Names the machine's folder to every process that runs inside. */
export const ROOT_VARIABLE = "WINSIM_ROOT";

/** In the machine's folder: the present DefaultShell, for who cannot read the database quickly. */
export const SHELL_FILE = "default-shell";

/**
 * What the simulated machine is at this moment, shared by all its processes and the test. Every change is an event. Files
 * live in {@link drive}, processes in `/proc` (see `processes.ts`): neither is copied here.
 */
export class Machine {
  readonly folder: string;
  readonly #things: Things<MachineKinds>;

  private constructor(folder: string) {
    this.folder = folder;
    this.#things = new Things(join(folder, "machine.db"));
  }

  /** A new machine in an existing folder. */
  static create(folder: string, settings: Partial<MachineSettings> = {}): Machine {
    for (const name of ["C:", "exits", "consoles"]) mkdirSync(join(folder, name), { recursive: true });
    const machine = new Machine(folder);
    machine.#things.create();
    machine.set({ defaultShell: DEFAULTS.settings.defaultShell, ...settings });
    return machine;
  }

  static open(folder: string): Machine {
    return new Machine(folder);
  }

  /** The machine inside which this process runs. */
  static ofThisProcess(): Machine {
    const folder = process.env[ROOT_VARIABLE];
    if (folder === undefined) throw new Error(`${ROOT_VARIABLE} is not set: this process runs in no simulated machine`);
    return new Machine(folder);
  }

  /** The folder that is `C:\`. */
  get drive(): string {
    return join(this.folder, "C:");
  }

  get settings(): MachineSettings {
    return { ...DEFAULTS.settings, ...Object.fromEntries(this.#things.named("setting")) };
  }

  set(settings: Partial<MachineSettings>): void {
    for (const [name, value] of Object.entries(settings)) this.#things.put("setting", name, value, "setting.changed");
    if (settings.defaultShell !== undefined) writeFileSync(join(this.folder, SHELL_FILE), `${settings.defaultShell}\n`);
  }

  get firewallRules(): readonly FirewallRule[] {
    return this.#things.all("firewall");
  }

  /** Adds or replaces the rule of this name. */
  putFirewallRule(rule: Partial<FirewallRule> & Pick<FirewallRule, "name" | "localPort">): FirewallRule {
    const whole = { ...DEFAULTS.firewall, displayName: rule.name, ...rule };
    return this.#things.put("firewall", rule.name, whole, "firewall.put");
  }

  removeFirewallRule(name: string): boolean {
    return this.#things.remove("firewall", name, "firewall.removed");
  }

  get tasks(): readonly ScheduledTask[] {
    return this.#things.all("task");
  }

  /** As it was last written down; `presentTask` of `scheduled-tasks.ts` looks whether it still runs. */
  task(name: string): ScheduledTask | undefined {
    return this.#things.one("task", taskName(name));
  }

  /** Registers a task, or registers it again: its history starts anew. */
  putTask(task: Partial<ScheduledTask> & Pick<ScheduledTask, "name" | "execute">): ScheduledTask {
    const name = taskName(task.name);
    return this.#things.put("task", name, { ...DEFAULTS.task, ...task, name }, "task.registered");
  }

  /** Changes what is known of a registered task; `event` says what happened. */
  changeTask(name: string, change: Partial<ScheduledTask>, event: `task.${string}`, detail: unknown = change): void {
    this.inTransaction(() => {
      const task = this.task(name);
      if (task !== undefined) this.#things.put("task", task.name, { ...task, ...change }, event, detail);
    });
  }

  removeTask(name: string): boolean {
    return this.#things.remove("task", taskName(name), "task.removed");
  }

  get sessions(): readonly Session[] {
    return this.#things.all("session").toSorted((a, b) => a.id - b.id);
  }

  putSession(session: Partial<Session> & Pick<Session, "id">): Session {
    const { user } = this.settings;
    const whole = { ...DEFAULTS.session, user, name: `RDP-Tcp#${session.id}`, ...session };
    return this.#things.put("session", `${session.id}`, whole, "session.changed");
  }

  removeSession(id: number): boolean {
    return this.#things.remove("session", `${id}`, "session.ended");
  }

  /** Ports that a test declares to be listening; what machine processes really listen on is in `listening.ts`. */
  get listeners(): readonly Listener[] {
    return this.#things.all("listener");
  }

  putListener(listener: Partial<Listener> & Pick<Listener, "port">): Listener {
    return this.#things.put("listener", `${listener.port}`, { ...DEFAULTS.listener, ...listener }, "listener.opened");
  }

  removeListener(port: number): boolean {
    return this.#things.remove("listener", `${port}`, "listener.closed");
  }

  get services(): readonly Service[] {
    return this.#things.all("service");
  }

  putService(service: Partial<Service> & Pick<Service, "name">): Service {
    const whole = { displayName: service.name, ...DEFAULTS.service, ...service };
    return this.#things.put("service", service.name, whole, "service.changed");
  }

  /** Of a folder, by its Windows path. */
  access(path: string): FolderAccess {
    return this.#things.one("access", wholePath(path, "C:\\")) ?? DEFAULTS.access;
  }

  putAccess(path: string, access: Partial<FolderAccess>): FolderAccess {
    return this.#things.put("access", wholePath(path, "C:\\"), { ...DEFAULTS.access, ...access }, "acl.changed");
  }

  /** From now on `program` (an image name such as `schtasks.exe`, or any agreed word) fails, `times` times. */
  fail(program: string, failure: Partial<Failure> & Pick<Failure, "code">): void {
    this.#things.put("failure", program, { ...DEFAULTS.failure, ...failure }, "failure.set");
  }

  /** What is to fail, by name. */
  get failing(): readonly string[] {
    return this.#things.named("failure").map(([name]) => name);
  }

  /** The failure that `program` has to show now; it is used up by asking. */
  takeFailure(program: string): Failure | undefined {
    // Nearly always there is none, and then nobody has to wait for a lock.
    if (this.#things.one("failure", program) === undefined) return undefined;
    return this.inTransaction(() => {
      const failure = this.#things.one("failure", program);
      if (failure === undefined) return undefined;
      const times = failure.times - 1;
      if (times > 0) this.#things.put("failure", program, { ...failure, times }, "failure.shown");
      else this.#things.remove("failure", program, "failure.shown");
      return failure;
    });
  }

  /** Writes down something that happened. */
  record(kind: string, subject: string, detail: unknown = null): void {
    this.#things.record(kind, subject, detail);
  }

  /** What happened, in order: all, of one kind (`task.started`), or to one subject. */
  events(kind?: string, subject?: string): readonly MachineEvent[] {
    return this.#things.events(kind, subject);
  }

  /** All or nothing; other processes that want to change something wait. */
  inTransaction<T>(action: () => T): T {
    return this.#things.inTransaction(action);
  }

  close(): void {
    this.#things.close();
  }
}

/** Tasks are named from the root folder of the scheduler: `\Name` and `Name` are the same. */
function taskName(name: string): string {
  return name.replace(/^\\/, "");
}
