import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { BackendWorker, WorkerEvent } from "../src/backend/serving.ts";
import { loadConfig } from "../src/config/load.ts";
import { defineJob, type JobType } from "../src/job/definition.ts";
import type { Actor } from "../src/policy/actor.ts";
import { composeWindlass, type Windlass } from "../src/windlass.ts";

/** The job that every workload runs: about 110 bytes of input, no work. */
export const noop = defineJob({
  name: "bench.noop",
  input: z.strictObject({ n: z.number(), text: z.string() }),
  result: z.null(),
  run: () => null,
});

/** An input of about 110 bytes. */
export function payload(n: number): { n: number; text: string } {
  return { n, text: "The quick brown fox jumps over the lazy dog; the quick brown fox jumps over the lazy dog." };
}

/** Who asks, in every workload. */
export const ACTOR: Actor = { kind: "unattended", name: "bench", via: "library" };

/** A folder that is gone afterwards. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(process.env["WINDLASS_BENCH_DIR"] ?? tmpdir(), "windlass-bench-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The product as it is, on a fresh database. */
export async function openProduct(
  folder: string,
  types: readonly JobType[] = [noop],
  settings: Readonly<Record<string, string>> = {},
): Promise<Windlass> {
  const env = {
    ...settings,
    WINDLASS_DB: join(folder, "windlass.db"),
    WINDLASS_ARTIFACT_OUT: join(folder, "artifacts"),
  };
  const { config } = await loadConfig({ env, cwd: folder, home: folder });
  return composeWindlass({ config, mode: "migrate", types, environment: {} });
}

/** A worker for the product's types. */
export function serve(product: Windlass, concurrency: number, moves?: Moves): Promise<BackendWorker> {
  return product.serve({
    concurrency,
    labels: {},
    onStuck: "report",
    claims: true,
    ...(moves === undefined ? {} : { onEvent: moves.count }),
  });
}

/** Counts what a worker tells: asking the database after a hundred thousand jobs would be what is measured. */
export class Moves {
  readonly #counts = new Map<WorkerEvent["kind"], number>();
  #onCount: () => void = () => undefined;

  readonly count = ({ kind }: WorkerEvent): void => {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#onCount();
  };

  /** Resolves with the time at which there were so many of a kind. */
  reach(kind: WorkerEvent["kind"], count: number): Promise<number> {
    return new Promise((resolve) => {
      this.#onCount = () => {
        if ((this.#counts.get(kind) ?? 0) >= count) resolve(performance.now());
      };
      this.#onCount();
    });
  }
}

/** Submits one job of each input, 1,000 in a call; their ids in the same order. */
export async function submitAll(product: Windlass, type: JobType, inputs: readonly unknown[]): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < inputs.length; at += 1_000) {
    const requests = inputs
      .slice(at, at + 1_000)
      .map((input) => ({ type: type.name, input, options: {}, actor: ACTOR }));
    ids.push(...(await product.submit.submit(requests)).map(({ jobId }) => jobId));
  }
  return ids;
}

/** How many jobs a workload takes. */
export interface Scale {
  readonly enqueueOne: number;
  readonly enqueueMany: number;
  readonly bulk: number;
  readonly drain: number;
  readonly latency: number;
  readonly steps: number;
  /** Of one job that is replayed. */
  readonly replayed: number;
  readonly children: number;
  readonly wakes: number;
  readonly sleepers: number;
  readonly waiting: number;
}

/** Enough for a stable figure, and a quick look. */
export const SCALES: Readonly<Record<"full" | "quick", Scale>> = {
  full: {
    enqueueOne: 4_000,
    enqueueMany: 100_000,
    bulk: 200_000,
    drain: 100_000,
    latency: 500,
    steps: 100_000,
    replayed: 9_999,
    children: 1_000,
    wakes: 500,
    sleepers: 10_000,
    waiting: 100_000,
  },
  quick: {
    enqueueOne: 500,
    enqueueMany: 10_000,
    bulk: 20_000,
    drain: 10_000,
    latency: 100,
    steps: 10_000,
    replayed: 9_999,
    children: 1_000,
    wakes: 100,
    sleepers: 2_000,
    waiting: 10_000,
  },
};
