import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test as base, expect } from "vitest";
import type { Accepted } from "../../src/backend/acceptance.ts";
import type { Backend } from "../../src/backend/backend.ts";
import type { JobStatus } from "../../src/backend/reading.ts";
import type { BackendWorker, WorkerEvent } from "../../src/backend/serving.ts";
import type { JobRequest } from "../../src/backend/submit.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { type Flags, loadConfig } from "../../src/config/load.ts";
import type { OpenMode } from "../../src/database/open.ts";
import type { JobType } from "../../src/job/definition.ts";
import type { SubmitOptions } from "../../src/job/options.ts";
import type { Actor } from "../../src/policy/actor.ts";
import { composeWindlass, type Windlass, type WorkerOptions } from "../../src/windlass.ts";
import { TestClock } from "./clock.ts";
import { Effects } from "./effects.ts";
import { brokenInvariants } from "./invariants.ts";
import { WorkerProcess } from "./processes.ts";
import { type WorkSpec, workType } from "./work-type.ts";
import type { WorkerOrder } from "./worker-process.ts";

/** A backend that the conformance suite can open. */
export interface TestBackend {
  readonly name: string;
  /** The settings that choose it and put its records into a folder. */
  flags(folder: string): Flags;
  /** False while somebody is in the middle of a commit. */
  canWrite(folder: string): boolean;
  /** Everything that is wrong with its records once nobody has them open. */
  check(folder: string): readonly string[];
}

/** The embedded backend over a real file. */
export const EMBEDDED: TestBackend = {
  name: "embedded",
  flags: (folder) => ({ "database.path": databaseIn(folder) }),
  canWrite: (folder) => canWrite(databaseIn(folder)),
  check: (folder) => brokenInvariants(databaseIn(folder)),
};

/** What a test asks for. */
export interface BenchOptions {
  /** Job types of {@link workType}; other processes are given them too. */
  readonly types?: readonly WorkSpec[];
  /** Job types with code of the test's own; this process only. */
  readonly own?: readonly JobType[];
  readonly config?: Flags;
  readonly clock?: Clock;
  readonly mode?: OpenMode;
  readonly environment?: Readonly<Record<string, string>>;
  /** Shares the records of another bench. */
  readonly folder?: string;
  /** The test damages the records on purpose, or ends while others still write. */
  readonly unchecked?: boolean;
}

/** Short enough for a test to wait for it; on a busy machine a worker that is well may miss it. */
export const SHORT_LEASE: Flags = { "worker.lease": "1s" };

/** The death of a worker is seen at once, whatever its lease; only a stall takes that long. */
const CONFIG: Flags = {
  "worker.lease": "15s",
  "worker.tick": "50ms",
  "worker.kill_grace": "100ms",
  "worker.grace": "10s",
  "job.backoff_jitter": 0,
};

/** By then a worker has given up waiting for handlers that do not listen. */
const STOP_MS = 2_000;

/** Who asks in the tests. */
export const TESTER: Actor = { kind: "person", name: "tester", via: "library" };
/** Who asks where it matters that it is no person. */
export const AGENT: Actor = { kind: "agent", name: "codex", via: "cli" };

/** An opened backend with everything that a test does to it. */
export class Bench {
  readonly folder: string;
  readonly effects: Effects;
  readonly windlass: Windlass;
  readonly #options: BenchOptions;
  readonly #target: TestBackend;
  readonly #flags: Flags;
  readonly #processes: WorkerProcess[] = [];
  readonly #workers: BackendWorker[] = [];

  private constructor(target: TestBackend, folder: string, windlass: Windlass, flags: Flags, options: BenchOptions) {
    this.#target = target;
    this.folder = folder;
    this.windlass = windlass;
    this.#flags = flags;
    this.#options = options;
    this.effects = new Effects(folder);
  }

  static async open(target: TestBackend, folder: string, options: BenchOptions): Promise<Bench> {
    const flags = {
      ...CONFIG,
      ...target.flags(folder),
      "artifacts.out_dir": join(folder, "artifacts"),
      ...options.config,
    };
    const { config } = await loadConfig({ env: {}, flags, cwd: folder, home: folder });
    const windlass = await composeWindlass({
      config,
      mode: options.mode ?? "migrate",
      types: [...(options.types ?? []).map((spec) => workType(folder, spec)), ...(options.own ?? [])],
      environment: options.environment ?? {},
      clock: options.clock ?? systemClock,
    });
    return new Bench(target, folder, windlass, flags, options);
  }

  get backend(): Backend {
    return this.windlass.backend;
  }

  get databasePath(): string {
    return databaseIn(this.folder);
  }

  /** Submits one job; returns its id. */
  async submit(
    type: string,
    input: unknown,
    options: SubmitOptions = {},
    more: Partial<JobRequest> = {},
  ): Promise<string> {
    return (await this.accept(type, input, options, more)).jobId;
  }

  /** Submits one job; returns all that was answered. */
  async accept(
    type: string,
    input: unknown,
    options: SubmitOptions = {},
    more: Partial<JobRequest> = {},
  ): Promise<Accepted> {
    const [accepted] = await this.windlass.submit.submit([{ type, input, options, actor: TESTER, ...more }]);
    if (accepted === undefined) throw new Error("nothing was accepted");
    return accepted;
  }

  /** A worker of this process. */
  async worker(options: Partial<WorkerOptions> = {}): Promise<BackendWorker & { readonly events: WorkerEvent[] }> {
    const events: WorkerEvent[] = [];
    const worker = await this.windlass.serve({
      concurrency: 5,
      labels: {},
      onStuck: "report",
      claims: true,
      onEvent: (event) => events.push(event),
      ...options,
    });
    this.#workers.push(worker);
    return Object.assign(worker, { events });
  }

  /** A worker in a process of its own; resolves when it serves. */
  async spawn(
    order: Partial<WorkerOrder> = {},
    environment: Readonly<Record<string, string>> = {},
  ): Promise<WorkerProcess> {
    const started = this.start(order, environment);
    await started.ready();
    return started;
  }

  /** As {@link spawn}, without waiting. */
  start(order: Partial<WorkerOrder> = {}, environment: Readonly<Record<string, string>> = {}): WorkerProcess {
    const started = WorkerProcess.start(
      {
        folder: this.folder,
        types: this.#options.types ?? [],
        concurrency: 5,
        labels: {},
        onStuck: "kill",
        claims: true,
        graceMs: 5_000,
        ...order,
        flags: { ...this.#flags, ...order.flags },
      },
      environment,
    );
    this.#processes.push(started);
    return started;
  }

  /** Stops a process (SIGSTOP) at a moment at which it does not keep all others from writing. */
  async freeze(frozen: WorkerProcess): Promise<void> {
    for (;;) {
      await frozen.freeze();
      if (this.#target.canWrite(this.folder)) return;
      frozen.thaw();
    }
  }

  /** Resolves when the job has ended. */
  settled(jobId: string, withinMs = 15_000): Promise<JobStatus> {
    return this.backend.settled(jobId, { withinMs });
  }

  /** Resolves when this holds for the job. */
  reaches(jobId: string, until: (status: JobStatus) => boolean): Promise<JobStatus> {
    return this.backend.settled(jobId, { withinMs: 15_000, until });
  }

  async status(jobId: string): Promise<JobStatus> {
    const status = await this.backend.status(jobId);
    if (status === undefined) throw new Error(`there is no job ${jobId}`);
    return status;
  }

  async cancel(jobId: string): ReturnType<Backend["cancel"]> {
    return this.backend.cancel(jobId, TESTER);
  }

  async replay(jobId: string): ReturnType<Backend["replay"]> {
    return this.backend.replay(jobId, TESTER);
  }

  /** Events of a job's history, in order, of one run where that is asked for. */
  async events(jobId: string, runNumber?: number): Promise<readonly string[]> {
    const rows = await this.backend.history(jobId);
    return rows.filter((row) => runNumber === undefined || row.runNumber === runNumber).map(({ event }) => event);
  }

  /** Ends every process and worker that the test started. */
  async close(): Promise<void> {
    await Promise.all(this.#processes.map((started) => started.kill()));
    const stopped = Promise.all(this.#workers.map((worker) => worker.stop({ graceMs: 0 })));
    const { clock } = this.#options;
    if (clock instanceof TestClock) await clock.advance(STOP_MS);
    await stopped;
    await this.backend.close();
  }
}

/** True when nobody holds the lock of writers. */
function canWrite(path: string): boolean {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("BEGIN IMMEDIATE; ROLLBACK");
    return true;
  } catch {
    return false;
  } finally {
    db.close();
  }
}

function databaseIn(folder: string): string {
  return join(folder, "db", "windlass.db");
}

/** Opens a backend in a fresh folder; all that belongs to it is gone when the test ends. */
export type Open = (options?: BenchOptions) => Promise<Bench>;

/** A test with `open`. At its end everything is stopped and the records are checked. */
export function testOn(target: TestBackend) {
  return base.extend<{ folder: string; open: Open }>({
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
    folder: async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), "windlass-"));
      await use(folder);
      rmSync(folder, { recursive: true, force: true });
    },
    open: async ({ folder: root }, use) => {
      const benches: { readonly bench: Bench; readonly unchecked: boolean }[] = [];
      await use(async (options = {}) => {
        const folder = options.folder ?? join(root, randomUUID());
        mkdirSync(folder, { recursive: true });
        const bench = await Bench.open(target, folder, options);
        benches.push({ bench, unchecked: options.unchecked ?? false });
        return bench;
      });
      for (const { bench } of benches.toReversed()) await bench.close();
      for (const { bench, unchecked } of benches) if (!unchecked) expect(target.check(bench.folder)).toEqual([]);
    },
  });
}
