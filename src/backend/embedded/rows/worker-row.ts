import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type Connection, readJson } from "../../../database/connection.ts";
import { isLockHeld } from "../../../database/liveness.ts";
import type { Transaction } from "../../../database/writer.ts";
import type { WorkerInfo } from "../../reading.ts";
import type { ServeOptions } from "../../serving.ts";
import type { Notice } from "./notice.ts";

/** What a worker writes of itself when it starts. */
export interface Registration {
  readonly uuid: string;
  readonly boot: string;
  readonly schema: number;
  readonly artifactRoot: string;
  readonly leaseMs: number;
  readonly nowMono: number;
  readonly options: Pick<ServeOptions, "types" | "labels" | "concurrency" | "claims">;
}

/** A name for a worker's lock and row. */
export function newWorkerUuid(): string {
  return randomUUID();
}

/** Enters a worker; returns its number. */
export function registerWorker(
  tx: Transaction<Notice>,
  { uuid, boot, schema, artifactRoot, leaseMs, nowMono, options }: Registration,
): number {
  return tx.db.run(
    "INSERT INTO worker (uuid, host, pid, boot, schema, artifact_root, types, labels, concurrency, lease_ms, started, beat_mono) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    uuid,
    hostname(),
    process.pid,
    boot,
    schema,
    artifactRoot,
    // A process that runs one command takes nobody else's jobs, so nobody should count on it.
    JSON.stringify(options.claims ? options.types.map(({ type }) => type.name) : []),
    JSON.stringify(options.labels),
    options.concurrency,
    leaseMs,
    tx.nowMs,
    nowMono,
  ).lastInsertRowid;
}

/** A worker that has not said that it stopped. */
export interface OpenWorker {
  readonly id: number;
  readonly uuid: string;
  readonly host: string;
  readonly pid: number;
  readonly boot: string;
  readonly beatMono: number;
  readonly leaseMs: number;
}

export function openWorkers(db: Connection): OpenWorker[] {
  return db.all<OpenWorker>(
    "SELECT id, uuid, host, pid, boot, beat_mono AS beatMono, lease_ms AS leaseMs FROM worker w WHERE stopped IS NULL OR EXISTS (SELECT 1 FROM lease l WHERE l.worker = w.id) ORDER BY id",
  );
}

/** Marks a worker as gone. */
export function closeWorker(tx: Transaction<Notice>, id: number): void {
  tx.db.run("UPDATE worker SET stopped = ? WHERE id = ? AND stopped IS NULL", tx.nowMs, id);
}

/** @param own the uuid of a worker of this process, which is alive and must not be probed. */
export function readWorkers(db: Connection, own: ReadonlySet<string>): WorkerInfo[] {
  return db
    .all<{ uuid: string; host: string; pid: number; types: string; labels: string; started: number }>(
      "SELECT uuid, host, pid, types, labels, started FROM worker WHERE stopped IS NULL ORDER BY id",
    )
    .map(({ uuid, host, pid, types, labels, started }) => ({
      id: uuid,
      host,
      pid,
      types: readJson<string[]>(types, "worker"),
      labels: readJson<Record<string, string>>(labels, "worker"),
      startedAtMs: started,
      alive: own.has(uuid) || isLockHeld(db.path, uuid),
    }));
}
