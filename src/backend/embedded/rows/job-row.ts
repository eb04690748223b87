import { type Connection, readJson } from "../../../database/connection.ts";
import type { KeyNeed } from "../../../job/spec.ts";
import type { JobEnv } from "./env.ts";
import type { JobNumber } from "./job-number.ts";

/** A row of `job`, its env parsed. */
export interface JobRow {
  readonly id: JobNumber;
  readonly queue: number;
  readonly rules: number;
  readonly actor: number;
  readonly rank: number;
  readonly due: number;
  readonly env: JobEnv;
  readonly keys: readonly KeyNeed[];
}

const NO_KEYS: readonly KeyNeed[] = [];

/** Parses the env of a row. */
export function parseJob(row: Omit<JobRow, "env" | "keys"> & { readonly env: string }): JobRow {
  const env = readJson<JobEnv>(row.env, `job ${row.id}`);
  return {
    id: row.id,
    queue: row.queue,
    rules: row.rules,
    actor: row.actor,
    rank: row.rank,
    due: row.due,
    env,
    keys: env.keys ?? NO_KEYS,
  };
}

/** Reads one job. */
export function readJob(db: Connection, job: JobNumber): JobRow | undefined {
  const row = db.get<Omit<JobRow, "env" | "keys"> & { env: string }>(
    "SELECT id, queue, rules, actor, rank, due, env FROM job WHERE id = ?",
    job,
  );
  return row === undefined ? undefined : parseJob(row);
}
