import type { ArtifactIndex } from "../../artifact/manifest.ts";
import type { MachineIdentity } from "../../attempt/handlers.ts";
import type { Clock } from "../../clock.ts";
import type { Connection } from "../../database/connection.ts";
import { holdLock } from "../../database/liveness.ts";
import { ownMigrations, schemaVersion } from "../../database/migrate.ts";
import { type OpenMode, openDatabase } from "../../database/open.ts";
import { type Transaction, Writer } from "../../database/writer.ts";
import { AppError } from "../../error.ts";
import type { HistoryRow } from "../../job/history.ts";
import type { JobLimits } from "../../job/limits.ts";
import { type Actor, formatActor } from "../../policy/actor.ts";
import type {
  Acceptance,
  Accepted,
  Backend,
  BackendWorker,
  CancelResult,
  Explanation,
  JobFilter,
  JobStats,
  JobStatus,
  JobSummary,
  PublishedType,
  ReplayResult,
  ServeOptions,
  SettledOptions,
  WorkerInfo,
} from "../backend.ts";
import type { Capabilities } from "../capabilities.ts";
import type { PolicyLog } from "../policy-log.ts";
import { describeType } from "../published-type.ts";
import type { ScheduleStore } from "../schedules.ts";
import { accept } from "./accept.ts";
import { artifactIndex } from "./artifacts.ts";
import { cancel } from "./cancel.ts";
import type { Claim } from "./claim.ts";
import { type EnqueueWith, enqueueWith } from "./enqueue-with.ts";
import { Interned } from "./intern.ts";
import { JobNumbers } from "./job-number.ts";
import { readJob } from "./job-row.ts";
import { Epochs } from "./lease.ts";
import { moveKept } from "./move-kept.ts";
import type { Notice } from "./notice.ts";
import { policyLog } from "./policy-log.ts";
import { explainJob } from "./reading/explain.ts";
import { readHistory } from "./reading/history.ts";
import { listJobs } from "./reading/list.ts";
import { readStats } from "./reading/stats.ts";
import { readStatus } from "./reading/status.ts";
import { replay } from "./replay.ts";
import { type RetentionDays, retain } from "./retain.ts";
import { scheduleStore } from "./schedule-store.ts";
import { storeValue } from "./store-value.ts";
import { Wake } from "./wake.ts";
import { Watchers } from "./watchers.ts";
import type { EmbeddedWorker } from "./worker/embedded-worker.ts";
import type { WorkerLimits } from "./worker/parts.ts";
import { newWorkerUuid, publishTypes, readTypes, readWorkers, registerWorker } from "./workers.ts";

/** How the embedded backend is opened. */
export interface EmbeddedOptions {
  readonly path: string;
  readonly mode: OpenMode;
  readonly clock: Clock;
  readonly limits: JobLimits & WorkerLimits;
  readonly retention: RetentionDays;
  /** Absolute path below which attempts write. */
  readonly artifactRoot: string;
  readonly machine: () => MachineIdentity;
  /** How long to wait for another process that creates, migrates or recovers the file. Default 10 s. */
  readonly busyLimitMs?: number;
}

const CAPABILITIES: Capabilities = {
  subSecond: true,
  transaction: true,
  eventOrder: true,
  ageing: true,
  positionsMax: 10_000,
  crashNoticedMs: 1_000,
  startMs: 5,
  cancelNoticedMs: 100,
  watchMs: 0,
};

/** Jobs in one SQLite file. Several processes may have it open at once. */
export class EmbeddedBackend implements Backend {
  readonly capabilities = CAPABILITIES;
  readonly schedules: ScheduleStore;
  readonly artifacts: ArtifactIndex;
  readonly policyLog: PolicyLog;
  /** The user's own rows and an enqueue in one commit. */
  readonly enqueueWith: EnqueueWith;
  readonly #options: EmbeddedOptions;
  readonly #db: Connection;
  readonly #writer: Writer<Notice>;
  readonly #interned = new Interned();
  readonly #epochs = new Epochs();
  readonly #numbers: JobNumbers;
  readonly #watchers: Watchers;
  readonly #workWake: Wake;
  readonly #movedWake: Wake;
  readonly #workers = new Map<string, EmbeddedWorker>();
  #closed: Promise<void> | undefined;

  private constructor(options: EmbeddedOptions, db: Connection, numbers: JobNumbers) {
    this.#options = options;
    this.#db = db;
    this.#numbers = numbers;
    this.#writer = new Writer<Notice>(db, options.clock, {
      onCommit: (notices) => this.#onCommit(notices),
      onRollback: () => {
        this.#interned.forget();
        this.#epochs.forget();
      },
    });
    this.#workWake = new Wake(db.path, "work");
    this.#movedWake = new Wake(db.path, "moved");
    this.#watchers = new Watchers(db.path, options.clock, () => this.#onForeignWork());
    const parts = { db, writer: this.#writer, numbers, interned: this.#interned };
    this.schedules = scheduleStore(parts);
    this.artifacts = artifactIndex(parts);
    this.policyLog = policyLog({ ...parts, clock: options.clock });
    this.enqueueWith = enqueueWith({
      writer: this.#writer,
      accept: (tx, acceptance) => this.#acceptOne(tx, acceptance),
    });
  }

  /** Commits that this process made, and the mutations in them: their ratio is the mean batch of the group commit. */
  get commitCounts(): Readonly<{ commits: number; mutations: number }> {
    return this.#writer.counts;
  }

  /**
   * Opens the file, and creates it unless only reading was asked for.
   *
   * @throws AppError `DATABASE_*` naming the file and what to do.
   */
  static async open(options: EmbeddedOptions): Promise<EmbeddedBackend> {
    const { path, mode, clock, busyLimitMs } = options;
    const db = openDatabase(path, {
      mode,
      nowMs: clock.now(),
      ...(busyLimitMs === undefined ? {} : { busyLimitMs }),
    });
    try {
      return new EmbeddedBackend(options, db, mode === "read" ? readNumbers(db) : await ownNumbers(db, clock));
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async accept(
    acceptances: readonly Acceptance[],
    { startOn }: { readonly startOn?: BackendWorker } = {},
  ): Promise<readonly Accepted[]> {
    const worker = startOn === undefined ? undefined : this.#workers.get(startOn.id);
    const { inlineBytes, valueBytes } = this.#options.limits;
    const values = acceptances.map(({ spec }) =>
      storeValue(this.#options.artifactRoot, spec.inputJson, { inlineBytes, valueBytes }),
    );
    const bytes = acceptances.reduce((sum, { spec }, n) => sum + (values[n] ? 0 : spec.inputJson.length), 0);
    const claims: Claim[] = [];
    const acceptAll = (tx: Transaction<Notice>): readonly Accepted[] => {
      claims.length = 0;
      return acceptances.map((acceptance, index) => {
        const taken = accept(tx, this.#acceptParts, acceptance, values[index]);
        const job = worker === undefined ? undefined : readJob(tx.db, this.#numbers.numberOf(taken.jobId) ?? -1);
        if (worker !== undefined && job !== undefined) claims.push(...worker.claimInside(tx, job));
        return taken;
      });
    };
    const accepted = await this.#writer.mutate(acceptAll, { bytes });
    worker?.take(claims);
    return accepted;
  }

  async status(jobId: string): Promise<JobStatus | undefined> {
    const number = this.#numbers.numberOf(jobId);
    return number === undefined ? undefined : this.#db.snapshot(() => readStatus(this.#reading, number));
  }

  async settled(jobId: string, options: SettledOptions = {}): Promise<JobStatus> {
    const { withinMs, signal, until = (status: JobStatus) => status.endedAtMs !== null } = options;
    return this.#watchers.wait({
      look: async () => {
        const status = await this.status(jobId);
        if (status === undefined) throw new AppError("JOB_NOT_FOUND", `there is no job ${jobId} in ${this.#db.path}`);
        return until(status) ? status : undefined;
      },
      what: `job ${jobId}`,
      ...(withinMs === undefined ? {} : { withinMs }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async list(filter: JobFilter): Promise<{ readonly jobs: readonly JobSummary[]; readonly cursor: string | null }> {
    return this.#db.snapshot(() => listJobs(this.#reading, filter));
  }

  async stats(): Promise<JobStats> {
    return this.#db.snapshot(() => readStats(this.#db));
  }

  async history(jobId: string): Promise<readonly HistoryRow[]> {
    const number = this.#numbers.numberOf(jobId);
    return number === undefined ? [] : this.#db.snapshot(() => readHistory(this.#db, number));
  }

  async explain(jobId: string): Promise<Explanation> {
    const number = this.#numbers.numberOf(jobId) ?? -1;
    const { clock, machine } = this.#options;
    const times = { nowMs: clock.now(), nowMono: clock.monotonic() };
    const bystander = { ...times, boot: () => machine().boot, own: new Set(this.#workers.keys()) };
    return this.#db.snapshot(() => explainJob(this.#reading, number, bystander));
  }

  async cancel(jobId: string, actor: Actor): Promise<CancelResult> {
    const number = this.#numbers.numberOf(jobId);
    if (number === undefined) return { kind: "not_found" };
    return this.#writer.mutate((tx) =>
      cancel(tx, number, { id: this.#interned.actorId(tx.db, actor), text: formatActor(actor) }),
    );
  }

  async replay(jobId: string, actor: Actor): Promise<ReplayResult> {
    const number = this.#numbers.numberOf(jobId);
    if (number === undefined) return { kind: "not_found" };
    return this.#writer.mutate((tx) => replay(tx, this.#options.limits, number, formatActor(actor)));
  }

  async types(): Promise<readonly PublishedType[]> {
    return readTypes(this.#db);
  }

  async workers(): Promise<readonly WorkerInfo[]> {
    return readWorkers(this.#db, new Set(this.#workers.keys()));
  }

  async serve(options: ServeOptions): Promise<BackendWorker> {
    // Loaded where jobs run: a command that only reads starts a tenth faster without it.
    const { EmbeddedWorker } = await import("./worker/embedded-worker.ts");
    const { clock, limits, artifactRoot, machine, retention } = this.#options;
    const names = options.types.map(({ type }) => type.name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined)
      throw new AppError("INVALID_DEFINITION", `two job types are named ${twice}; names are unique`);
    const uuid = newWorkerUuid();
    const lock = holdLock(this.#db.path, uuid);
    const identity = machine();
    const schema = schemaVersion(ownMigrations());
    try {
      const id = await this.#writer.mutate((tx) => {
        publishTypes(
          tx,
          options.types.map(({ type }) => describeType(type)),
        );
        return registerWorker(tx, {
          uuid,
          boot: identity.boot,
          schema,
          artifactRoot,
          leaseMs: limits.leaseMs,
          nowMono: clock.monotonic(),
          options,
        });
      });
      const shared = { db: this.#db, writer: this.#writer, clock, numbers: this.#numbers, interned: this.#interned };
      const worker = new EmbeddedWorker({
        ...shared,
        id,
        uuid,
        lock,
        schema,
        epochs: this.#epochs,
        limits,
        machine: identity,
        artifactRoot,
        options,
        retain: () => retain({ ...shared, artifacts: this.artifacts, retention }),
      });
      this.#workers.set(uuid, worker);
      void worker.stopped.then(() => this.#workers.delete(uuid));
      this.#watchers.watchWork();
      worker.start();
      if (options.claims) void moveKept(shared).catch(() => undefined);
      return worker;
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop({ graceMs: 0 })));
    await this.#writer.close();
    this.#watchers[Symbol.dispose]();
    this.#workWake[Symbol.dispose]();
    this.#movedWake[Symbol.dispose]();
    this.#db.close();
  }

  get #reading(): { db: Connection; numbers: JobNumbers; interned: Interned } {
    return { db: this.#db, numbers: this.#numbers, interned: this.#interned };
  }

  get #acceptParts(): Parameters<typeof accept>[1] {
    return { numbers: this.#numbers, interned: this.#interned, limits: this.#options.limits };
  }

  #acceptOne(tx: Parameters<typeof accept>[0], acceptance: Acceptance): Accepted {
    const { inlineBytes, valueBytes } = this.#options.limits;
    return accept(
      tx,
      this.#acceptParts,
      acceptance,
      storeValue(this.#options.artifactRoot, acceptance.spec.inputJson, { inlineBytes, valueBytes }),
    );
  }

  /** Wakes this process at once and the others through the wake files. */
  #onCommit(notices: readonly Notice[]): void {
    let work = false;
    let moved = false;
    for (const notice of notices) {
      if (notice.kind === "work") work = true;
      else if (notice.kind === "moved") moved = true;
      else for (const worker of this.#workers.values()) worker.dueAt(notice.atMs);
    }
    if (work) for (const worker of this.#workers.values()) worker.wake();
    if (work || notices.some((notice) => notice.kind === "due")) this.#workWake.ring();
    if (!moved) return;
    this.#watchers.moved();
    this.#movedWake.ring();
  }

  #onForeignWork(): void {
    for (const worker of this.#workers.values()) {
      worker.wake();
      worker.dueAt(this.#options.clock.now());
    }
  }
}

/** Written once for each database. Through a writer, because another process may be writing at this moment. */
async function ownNumbers(db: Connection, clock: Clock): Promise<JobNumbers> {
  const known = JobNumbers.load(db);
  if (known !== undefined) return known;
  const writer = new Writer<Notice>(db, clock, { onCommit: () => undefined, onRollback: () => undefined });
  return writer.mutate((tx) => JobNumbers.create(tx.db));
}

/** A reader of a database in which nothing was ever enqueued knows no id. */
function readNumbers(db: Connection): JobNumbers {
  const numbers = JobNumbers.load(db);
  if (numbers === undefined)
    throw new AppError(
      "DATABASE_MISSING",
      `database ${db.path} has no jobs yet; enqueue one or start \`windlass worker\``,
    );
  return numbers;
}
