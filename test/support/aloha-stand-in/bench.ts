import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Adoption, AlreadyDone, Effect, EffectContext } from "../../../src/attempt/handlers.ts";
import { type AppError, isAppError } from "../../../src/error.ts";
import { alohaClient } from "../../../src/host/aloha/client.ts";
import type { ReadLog } from "../../../src/host/aloha/log-follower.ts";
import { type AlohaRunResult, alohaRun } from "../../../src/job-type/aloha-run/aloha-run.ts";
import { alohaRunHandlers } from "../../../src/job-type/aloha-run/handler.ts";
import type { AlohaHost } from "../../../src/job-type/aloha-run/options.ts";
import { until } from "../until.ts";
import { type ActionServer, type Model, script, startActionServer } from "./action-server.ts";
import { type AlohaClientStandIn, startClient } from "./client.ts";
import { ImpatientClock } from "./impatient-clock.ts";
import type { ClientOptions } from "./player.ts";

/** What a test chooses. */
export interface BenchOptions extends Partial<Omit<ClientOptions, "logPath">> {
  readonly model?: Model;
  readonly host?: Partial<AlohaHost>;
}

/** `aloha.run` bound to the stand-ins of Aloha, with the file of the log read where it lies. */
export class AlohaBench {
  readonly clock = new ImpatientClock();
  readonly folder = mkdtempSync(join(tmpdir(), "aloha-run-"));
  readonly effects: Effect[] = [];
  readonly warnings: string[] = [];
  readonly progress: unknown[] = [];
  /** The host as the handler sees it; a test may replace its parts. */
  host!: AlohaHost;
  client!: AlohaClientStandIn;
  server!: ActionServer;

  static async open({ model = script("CLICK", "STOP"), host, ...options }: BenchOptions = {}): Promise<AlohaBench> {
    const bench = new AlohaBench();
    const wait = () => new Promise<void>((resolve) => setImmediate(resolve));
    bench.server = await startActionServer({ model });
    bench.client = await startClient({ wait, ...options, logPath: bench.logPath });
    bench.host = {
      client: alohaClient({ url: bench.client.url, clock: bench.clock, timeoutMs: 10_000 }),
      actionUrl: `${bench.server.url}/generate_action`,
      readLog: bench.readLog,
      desktop: () => Promise.resolve({ kind: "unlocked" }),
      check: () => Promise.resolve({ isYes: false }),
      ...host,
    };
    return bench;
  }

  get logPath(): string {
    return join(this.folder, "client.log");
  }

  readonly readLog: ReadLog = ({ offset, bytesMax }) => {
    if (!existsSync(this.logPath)) return Promise.resolve({ kind: "missing" });
    const content = readFileSync(this.logPath);
    return Promise.resolve({
      kind: "read",
      bytes: content.subarray(offset, offset + bytesMax),
      sizeBytes: content.length,
    });
  };

  /** Requests that would start a task; the busy probe is none. */
  get starts(): number {
    return this.client.seen.filter(({ on, body }) => on === "POST /run_task" && body.startsWith("{")).length;
  }

  get probes(): number {
    return this.client.seen.filter(({ body }) => body === '["task"]').length;
  }

  get stops(): number {
    return this.client.seen.filter(({ on }) => on === "POST /stop").length;
  }

  run(input: object, signal?: AbortSignal): Promise<AlohaRunResult | AlreadyDone> {
    const { ctx, handlers } = this.#attempt(signal);
    return Promise.resolve(handlers.run(parsed(input), ctx)) as Promise<AlohaRunResult | AlreadyDone>;
  }

  check(input: object): Promise<unknown> {
    const { ctx, handlers } = this.#attempt();
    return handlers.check?.(parsed(input), ctx) ?? Promise.resolve();
  }

  /** Takes over what was recorded last. */
  adopt(input: object, signal?: AbortSignal): Promise<Adoption | undefined> {
    const { ctx, handlers } = this.#attempt(signal);
    const effect = JSON.parse(JSON.stringify(this.effects.at(-1))) as Effect;
    return handlers.adopt?.(parsed(input), effect, ctx) ?? Promise.resolve(undefined);
  }

  /** The failure of a run: code, details, and whether it is tried again by itself. */
  async failure(input: object, signal?: AbortSignal): Promise<Record<string, unknown>> {
    return failureOf(this.run(input, signal));
  }

  kept(name: string): string {
    return readFileSync(join(this.folder, "aloha", name), "utf8");
  }

  get record(): Record<string, unknown> {
    return JSON.parse(this.kept("response.json")) as Record<string, unknown>;
  }

  /** Waits until the action server was asked for the n-th time. */
  asked(n: number): Promise<unknown> {
    return until(() => this.server.calls[n - 1], { what: `the model is asked for step ${n}` });
  }

  idle(): Promise<true> {
    return until(() => !this.client.busy || undefined, { what: "the client is idle" });
  }

  async close(): Promise<void> {
    await Promise.all([this.client.stop(), this.server.stop()]);
    rmSync(this.folder, { recursive: true });
  }

  #attempt(signal = new AbortController().signal): {
    readonly ctx: EffectContext;
    readonly handlers: ReturnType<typeof alohaRunHandlers>;
  } {
    const handlers = alohaRunHandlers({
      openHost: () => this.host,
      machine: { host: "h", boot: "b", pidNamespace: "p" },
      clock: this.clock,
      killGraceMs: 5_000,
    });
    const log = { info: () => {}, warn: (text: string) => void this.warnings.push(text), error: () => {} };
    mkdirSync(this.folder, { recursive: true });
    const ctx = {
      folder: this.folder,
      traceId: "trace-of-the-job",
      timeoutMs: 600_000,
      signal,
      log,
      progress: (progress: unknown) => void this.progress.push(progress),
      recordEffect: (effect: Effect) => Promise.resolve(void this.effects.push(effect)),
      outsideTimeout: (_maxMs: number, work: () => Promise<unknown>) => work(),
    } as unknown as EffectContext;
    return { ctx, handlers };
  }
}

/** What a promise was rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await work.then(
    (value) => new Error(`it did not fail: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isAppError(error)) throw error;
  return describe(error);
}

function describe(error: AppError): Record<string, unknown> {
  return { ...error.details, code: error.code, message: error.message, again: alohaRun.retryable?.(error) };
}

const parsed = (input: object): never => alohaRun.input.parse({ task: "open it", ...input }) as never;
