import type { MachineIdentity } from "../../../attempt/handlers.ts";
import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { Backend } from "../../backend.ts";
import type { Interned } from "../rows/intern.ts";
import type { JobNumbers } from "../rows/job-number.ts";
import { readTypes } from "../rows/type-row.ts";
import { readWorkers } from "../rows/worker-row.ts";
import { explainJob } from "./explain.ts";
import { readHistory } from "./history.ts";
import { listJobs } from "./list.ts";
import { readStats } from "./stats.ts";
import { readStatus } from "./status.ts";

/** What reading stands on. */
export interface ReaderParts {
  readonly db: Connection;
  readonly numbers: JobNumbers;
  readonly interned: Interned;
  readonly clock: Clock;
  readonly machine: () => MachineIdentity;
  /** The workers of this process, which live as long as it does, whatever their locks say. */
  readonly ownWorkers: () => ReadonlySet<string>;
}

/** The half of the backend that changes nothing. */
export type JobReader = Pick<Backend, "status" | "list" | "stats" | "history" | "explain" | "types" | "workers">;

/** Reads jobs, types and workers; each answer is of one moment. */
export function jobReader(parts: ReaderParts): JobReader {
  const { db, numbers, clock, machine, ownWorkers } = parts;
  return {
    async status(jobId) {
      const number = numbers.numberOf(jobId);
      return number === undefined ? undefined : db.snapshot(() => readStatus(parts, number));
    },
    list: async (filter) => db.snapshot(() => listJobs(parts, filter)),
    stats: async () => db.snapshot(() => readStats(db, clock.now())),
    async history(jobId) {
      const number = numbers.numberOf(jobId);
      return number === undefined ? [] : db.snapshot(() => readHistory(parts, number));
    },
    async explain(jobId) {
      const times = { nowMs: clock.now(), nowMono: clock.monotonic() };
      const bystander = { ...times, boot: () => machine().boot, own: ownWorkers() };
      return db.snapshot(() => explainJob(parts, numbers.numberOf(jobId) ?? -1, bystander));
    },
    types: async () => readTypes(db),
    workers: async () => readWorkers(db, ownWorkers()),
  };
}
