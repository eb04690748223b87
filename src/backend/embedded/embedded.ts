import type { ArtifactIndex } from "../../artifact/manifest.ts";
import type { MachineIdentity } from "../../attempt/handlers.ts";
import type { Clock } from "../../clock.ts";
import type { Connection } from "../../database/connection.ts";
import { type OpenMode, openDatabase } from "../../database/open.ts";
import { Writer } from "../../database/writer.ts";
import { AppError } from "../../error.ts";
import type { JobLimits } from "../../job/limits.ts";
import { type Actor, formatActor } from "../../policy/actor.ts";
import type { Acceptance, Accepted } from "../acceptance.ts";
import type { ApprovalStore } from "../approvals.ts";
import type { Backend, CancelResult, ReplayOptions, ReplayResult } from "../backend.ts";
import type { Capabilities } from "../capabilities.ts";
import type { EmitResult, EventRequest } from "../events.ts";
import type { PolicyLog } from "../policy-log.ts";
import type { JobStatus, SettledOptions } from "../reading.ts";
import type { ScheduleStore } from "../schedules.ts";
import type { BackendWorker, ServeOptions } from "../serving.ts";
import { type Acceptor, acceptor } from "./accepting/acceptor.ts";
import { type EnqueueWith, enqueueWith } from "./accepting/enqueue-with.ts";
import { replay } from "./accepting/replay.ts";
import { approvalStore } from "./approvals/approval-store.ts";
import { POSITIONS_MAX } from "./durable/positions.ts";
import { cancel } from "./ending/cancel.ts";
import { emit, givenCount, giveToAll } from "./events/emit.ts";
import { prepareEvent } from "./events/prepare-event.ts";
import { artifactIndex } from "./files/artifact-index.ts";
import { Epochs } from "./lease/epochs.ts";
import { policyLog } from "./policy-log.ts";
import { type JobReader, jobReader } from "./reading/job-reader.ts";
import type { RetentionDays } from "./retention/retain.ts";
import { Interned } from "./rows/intern.ts";
import type { JobNumbers } from "./rows/job-number.ts";
import type { Notice } from "./rows/notice.ts";
import { openNumbers } from "./rows/open-numbers.ts";
import type { WorkerLimits } from "./running/worker-parts.ts";
import { scheduleStore } from "./schedule-store.ts";
import { Waker } from "./waking/waker.ts";
import type { EmbeddedWorker } from "./worker/embedded-worker.ts";

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
  positionsMax: POSITIONS_MAX,
  crashNoticedMs: 1_000,
  startMs: 5,
  cancelNoticedMs: 100,
  watchMs: 0,
};

/** Jobs in one SQLite file. Several processes may have it open at once. */
export class EmbeddedBackend implements Backend {
  readonly capabilities = CAPABILITIES;
  readonly status: JobReader["status"];
  readonly list: JobReader["list"];
  readonly stats: JobReader["stats"];
  readonly history: JobReader["history"];
  readonly explain: JobReader["explain"];
  readonly types: JobReader["types"];
  readonly workers: JobReader["workers"];
  readonly schedules: ScheduleStore;
  readonly artifacts: ArtifactIndex;
  readonly policyLog: PolicyLog;
  readonly approvals: ApprovalStore;
  /** The user's own rows and an enqueue in one commit. */
  readonly enqueueWith: EnqueueWith;
  readonly #options: EmbeddedOptions;
  readonly #db: Connection;
  readonly #writer: Writer<Notice>;
  readonly #interned = new Interned();
  readonly #epochs = new Epochs();
  readonly #numbers: JobNumbers;
  readonly #acceptor: Acceptor;
  readonly #workers = new Map<string, EmbeddedWorker>();
  readonly #waker: Waker;
  #closed: Promise<void> | undefined;

  private constructor(options: EmbeddedOptions, db: Connection, numbers: JobNumbers) {
    this.#options = options;
    this.#db = db;
    this.#numbers = numbers;
    this.#writer = new Writer<Notice>(db, options.clock, {
      onCommit: (notices) => this.#waker.tell(notices),
      onRollback: () => {
        this.#interned.forget();
        this.#epochs.forget();
      },
    });
    this.#waker = new Waker(db, options.clock, this.#workers);
    const parts = this.#parts;
    const { clock, machine } = options;
    const reader = jobReader({ ...parts, clock, machine, ownWorkers: () => new Set(this.#workers.keys()) });
    ({ status: this.status, list: this.list, stats: this.stats, history: this.history } = reader);
    ({ explain: this.explain, types: this.types, workers: this.workers } = reader);
    this.schedules = scheduleStore(parts);
    this.artifacts = artifactIndex(parts);
    this.policyLog = policyLog({ ...parts, clock });
    this.approvals = approvalStore(parts);
    const { limits, artifactRoot } = options;
    this.#acceptor = acceptor({ ...parts, limits, artifactRoot });
    this.enqueueWith = enqueueWith({ ...parts, accept: this.#acceptor.acceptOne });
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
      return new EmbeddedBackend(options, db, await openNumbers(db, { mode, clock }));
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
    return this.#acceptor.acceptAll(acceptances, worker);
  }

  async settled(jobId: string, options: SettledOptions = {}): Promise<JobStatus> {
    const { withinMs, signal, until = (status: JobStatus) => status.endedAtMs !== null } = options;
    const job = this.#numbers.numberOf(jobId);
    if (job === undefined) throw this.#unknown(jobId);
    return this.#waker.wait({
      job,
      look: async () => {
        const status = await this.status(jobId);
        if (status === undefined) throw this.#unknown(jobId);
        return until(status) ? status : undefined;
      },
      what: `job ${jobId}`,
      ...(withinMs === undefined ? {} : { withinMs }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #unknown(jobId: string): AppError {
    return new AppError("JOB_NOT_FOUND", `there is no job ${jobId} in ${this.#db.path}`);
  }

  async cancel(jobId: string, actor: Actor): Promise<CancelResult> {
    const number = this.#numbers.numberOf(jobId);
    if (number === undefined) return { kind: "not_found" };
    return this.#writer.mutate((tx) =>
      cancel(tx, number, { id: this.#interned.actorId(tx.db, actor), text: formatActor(actor) }),
    );
  }

  async replay(jobId: string, actor: Actor, { from }: ReplayOptions = {}): Promise<ReplayResult> {
    const number = this.#numbers.numberOf(jobId);
    if (number === undefined) return { kind: "not_found" };
    const parts = { limits: this.#options.limits, interned: this.#interned };
    return this.#writer.mutate((tx) => replay(tx, parts, number, { actor, ...(from === undefined ? {} : { from }) }));
  }

  async emit(request: EventRequest, actor: Actor): Promise<EmitResult> {
    const prepared = prepareEvent(request, this.#options);
    const { event, existing, given } = await this.#writer.mutate((tx) =>
      emit(tx, { ...prepared, actor: this.#interned.actorId(tx.db, actor) }),
    );
    if (!given) await giveToAll(this.#writer, event);
    return { eventId: prepared.key, existing, given: existing ? 0 : givenCount({ db: this.#db }, event) };
  }

  async serve(options: ServeOptions): Promise<BackendWorker> {
    // Loaded where jobs run: a command that only reads starts a tenth faster without it.
    const { openWorker, startWorker } = await import("./worker/open-worker.ts");
    const { clock, limits, artifactRoot, machine, retention } = this.#options;
    const parts = { ...this.#parts, clock, epochs: this.#epochs, limits, artifactRoot, machine, retention };
    const serving = { ...parts, artifacts: this.artifacts };
    const worker = await openWorker(serving, options);
    this.#workers.set(worker.id, worker);
    void worker.stopped.then(() => this.#workers.delete(worker.id));
    this.#waker.watchWork();
    startWorker(worker, serving, options);
    return worker;
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
    this.#waker[Symbol.dispose]();
    this.#db.close();
  }

  get #parts() {
    return { db: this.#db, writer: this.#writer, numbers: this.#numbers, interned: this.#interned };
  }
}
