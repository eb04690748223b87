import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
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
export async function openProduct(folder: string, types: readonly JobType[] = [noop]): Promise<Windlass> {
  const env = { WINDLASS_DB: join(folder, "windlass.db"), WINDLASS_ARTIFACT_OUT: join(folder, "artifacts") };
  const { config } = await loadConfig({ env, cwd: folder, home: folder });
  return composeWindlass({ config, mode: "migrate", types, environment: {} });
}

/** How many jobs a workload takes. */
export interface Scale {
  readonly enqueueOne: number;
  readonly enqueueMany: number;
  readonly bulk: number;
  readonly drain: number;
  readonly latency: number;
  readonly steps: number;
}

/** Enough for a stable figure, and a quick look. */
export const SCALES: Readonly<Record<"full" | "quick", Scale>> = {
  full: { enqueueOne: 4_000, enqueueMany: 100_000, bulk: 200_000, drain: 100_000, latency: 500, steps: 100_000 },
  quick: { enqueueOne: 500, enqueueMany: 10_000, bulk: 20_000, drain: 10_000, latency: 100, steps: 10_000 },
};
