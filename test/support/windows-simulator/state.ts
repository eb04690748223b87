import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  DEFAULTS,
  type Failure,
  type FirewallRule,
  type Listener,
  type MachineEvent,
  type MachineSettings,
  type ScheduledTask,
  type Service,
  type Session,
} from "./state-shapes.ts";

/** Names the machine's folder to every process that runs inside. */
export const ROOT_VARIABLE = "WINSIM_ROOT";

/** In the machine's folder: the present DefaultShell, for who cannot read the database quickly. */
export const SHELL_FILE = "default-shell";

/** The kinds of things that a machine has, each under its key (not case-sensitive, as on Windows). */
interface Things {
  readonly firewall: FirewallRule;
  readonly task: ScheduledTask;
  readonly session: Session;
  readonly listener: Listener;
  readonly service: Service;
  readonly failure: Failure;
  readonly setting: unknown;
}

/**
 * What the simulated machine is at this moment: one SQLite file that many processes open at once. Every change is an
 * event. Files live in {@link drive}, processes in `/proc` (see `processes.ts`): neither is copied here.
 */
export class Machine {
  readonly folder: string;
  readonly #db: DatabaseSync;

  private constructor(folder: string) {
    this.folder = folder;
    this.#db = new DatabaseSync(join(folder, "machine.db"), { timeout: 10_000 });
    // Nothing of it has to survive a power cut.
    this.#db.exec("PRAGMA synchronous = OFF");
  }

  /** A new machine in an existing folder. */
  static create(folder: string, settings: Partial<MachineSettings> = {}): Machine {
    for (const name of ["C:", "exits", "consoles"]) mkdirSync(join(folder, name), { recursive: true });
    const machine = new Machine(folder);
    machine.#db.exec(`PRAGMA journal_mode = WAL;
      CREATE TABLE thing (kind TEXT, name TEXT COLLATE NOCASE, value TEXT NOT NULL, PRIMARY KEY (kind, name));
      CREATE TABLE event (id INTEGER PRIMARY KEY, at_ms INTEGER, kind TEXT, subject TEXT COLLATE NOCASE, detail TEXT);`);
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
    const rows = this.#db.prepare("SELECT name, value FROM thing WHERE kind = 'setting'").all();
    const stored = Object.fromEntries(rows.map(({ name, value }) => [name, JSON.parse(String(value))]));
    return { ...DEFAULTS.settings, ...stored };
  }

  set(settings: Partial<MachineSettings>): void {
    for (const [name, value] of Object.entries(settings)) this.#put("setting", name, value, "setting.changed");
    if (settings.defaultShell !== undefined) writeFileSync(join(this.folder, SHELL_FILE), `${settings.defaultShell}\n`);
  }

  get firewallRules(): readonly FirewallRule[] {
    return this.#all("firewall");
  }

  /** Adds or replaces the rule of this name. */
  putFirewallRule(rule: Partial<FirewallRule> & Pick<FirewallRule, "name" | "localPort">): FirewallRule {
    return this.#put("firewall", rule.name, { ...DEFAULTS.firewall, displayName: rule.name, ...rule }, "firewall.put");
  }

  removeFirewallRule(name: string): boolean {
    return this.#remove("firewall", name, "firewall.removed");
  }

  get tasks(): readonly ScheduledTask[] {
    return this.#all("task");
  }

  task(name: string): ScheduledTask | undefined {
    return this.#one("task", taskName(name));
  }

  /** Registers a task, or registers it again: its history starts anew. */
  putTask(task: Partial<ScheduledTask> & Pick<ScheduledTask, "name" | "execute">): ScheduledTask {
    const name = taskName(task.name);
    return this.#put("task", name, { ...DEFAULTS.task, ...task, name }, "task.registered");
  }

  /** Changes what is known of a registered task; `event` says what happened. */
  changeTask(name: string, change: Partial<ScheduledTask>, event: `task.${string}`, detail?: unknown): void {
    this.inTransaction(() => {
      const task = this.task(name);
      if (task !== undefined) this.#write("task", task.name, { ...task, ...change }, event, detail ?? change);
    });
  }

  removeTask(name: string): boolean {
    return this.#remove("task", taskName(name), "task.removed");
  }

  get sessions(): readonly Session[] {
    return this.#all<"session">("session").toSorted((a, b) => a.id - b.id);
  }

  putSession(session: Partial<Session> & Pick<Session, "id">): Session {
    const { user } = this.settings;
    const name = `RDP-Tcp#${session.id}`;
    return this.#put("session", `${session.id}`, { ...DEFAULTS.session, user, name, ...session }, "session.changed");
  }

  removeSession(id: number): boolean {
    return this.#remove("session", `${id}`, "session.ended");
  }

  /** Ports that a test declares to be listening; what machine processes really listen on is in `listening.ts`. */
  get listeners(): readonly Listener[] {
    return this.#all("listener");
  }

  putListener(listener: Partial<Listener> & Pick<Listener, "port">): Listener {
    return this.#put("listener", `${listener.port}`, { ...DEFAULTS.listener, ...listener }, "listener.opened");
  }

  removeListener(port: number): boolean {
    return this.#remove("listener", `${port}`, "listener.closed");
  }

  get services(): readonly Service[] {
    return this.#all("service");
  }

  putService(service: Partial<Service> & Pick<Service, "name">): Service {
    const whole = { displayName: service.name, ...DEFAULTS.service, ...service };
    return this.#put("service", service.name, whole, "service.changed");
  }

  /** From now on `program` (an image name such as `schtasks.exe`, or any agreed word) fails, `times` times. */
  fail(program: string, failure: Partial<Failure> & Pick<Failure, "code">): void {
    this.#put("failure", program, { ...DEFAULTS.failure, ...failure }, "failure.set");
  }

  /** The failure that `program` has to show now; it is used up by asking. */
  takeFailure(program: string): Failure | undefined {
    return this.inTransaction(() => {
      const failure = this.#one("failure", program);
      if (failure === undefined) return undefined;
      const times = failure.times - 1;
      if (times > 0) this.#write("failure", program, { ...failure, times }, "failure.shown");
      else this.#remove("failure", program, "failure.shown");
      return failure;
    });
  }

  /** Writes down something that happened. */
  record(kind: string, subject: string, detail: unknown = null): void {
    const insert = this.#db.prepare("INSERT INTO event (at_ms, kind, subject, detail) VALUES (?, ?, ?, ?)");
    insert.run(Date.now(), kind, subject, JSON.stringify(detail));
  }

  /** What happened, in order: all, of one kind (`task.started`), or to one subject. */
  events(kind?: string, subject?: string): readonly MachineEvent[] {
    const select = this.#db.prepare(`SELECT id, at_ms AS atMs, kind, subject, detail FROM event
      WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR subject = ?2) ORDER BY id`);
    const rows = select.all(kind ?? null, subject ?? null) as unknown as (MachineEvent & { detail: string })[];
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
  }

  close(): void {
    this.#db.close();
  }

  #all<Kind extends keyof Things>(kind: Kind): Things[Kind][] {
    const rows = this.#db.prepare("SELECT value FROM thing WHERE kind = ? ORDER BY name").all(kind);
    return rows.map(({ value }) => JSON.parse(String(value)));
  }

  #one<Kind extends keyof Things>(kind: Kind, name: string): Things[Kind] | undefined {
    const row = this.#db.prepare("SELECT value FROM thing WHERE kind = ? AND name = ?").get(kind, name);
    return row === undefined ? undefined : JSON.parse(String(row["value"]));
  }

  #put<Kind extends keyof Things, T extends Things[Kind]>(kind: Kind, name: string, value: T, event: string): T {
    return this.inTransaction(() => this.#write(kind, name, value, event));
  }

  #write<T>(kind: keyof Things, name: string, value: T, event: string, detail: unknown = value): T {
    this.#db
      .prepare("INSERT INTO thing VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
      .run(kind, name, JSON.stringify(value));
    this.record(event, name, detail);
    return value;
  }

  #remove(kind: keyof Things, name: string, event: string): boolean {
    const { changes } = this.#db.prepare("DELETE FROM thing WHERE kind = ? AND name = ?").run(kind, name);
    if (changes === 0) return false;
    this.record(event, name);
    return true;
  }

  /** All or nothing; other processes that want to change something wait. */
  inTransaction<T>(action: () => T): T {
    if (this.#db.isTransaction) return action();
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = action();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Tasks are named from the root folder of the scheduler: `\Name` and `Name` are the same. */
function taskName(name: string): string {
  return name.replace(/^\\/, "");
}
