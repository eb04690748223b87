import type { Operation } from "./operation.ts";

/** An operation as menus show it; its code is loaded when it is called, because every module costs the start of the program. */
export interface OperationEntry {
  /** As the operation says it; a test holds the two together. */
  readonly name: string;
  readonly summary: string;
  load(): Promise<Operation>;
}

/** Everything that a user can do, in the order of the menus; one line each. */
// biome-ignore format: one line for each operation
export const OPERATIONS: readonly OperationEntry[] = [
  { name: "jobs.enqueue", summary: "Store a job for a worker to run.", load: async () => (await import("./jobs/enqueue.ts")).enqueueJob },
  { name: "jobs.status", summary: "Show where a job stands.", load: async () => (await import("./jobs/status.ts")).jobStatus },
  { name: "jobs.list", summary: "List jobs, newest first.", load: async () => (await import("./jobs/list.ts")).listJobs },
];
