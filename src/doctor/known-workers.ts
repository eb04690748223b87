import { type Connection, readJson } from "../database/connection.ts";
import { isLockHeld } from "../database/liveness.ts";

/** A worker that has not said that it stopped. */
export interface KnownWorker {
  readonly id: number;
  readonly uuid: string;
  readonly host: string;
  readonly pid: number;
  readonly boot: string;
  /** Empty for a process that runs one command: it takes nobody else's jobs. */
  readonly types: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly beatMono: number;
  readonly startedMs: number;
  /** Its process holds its lock. */
  readonly alive: boolean;
  /** Leases that it has. */
  readonly leases: number;
}

/** The workers as the database and the locks of their processes tell. */
export function knownWorkers(db: Connection): KnownWorker[] {
  return db
    .all<Omit<KnownWorker, "types" | "labels" | "alive"> & { types: string; labels: string }>(
      `SELECT id, uuid, host, pid, boot, types, labels, concurrency, lease_ms AS leaseMs, beat_mono AS beatMono, started AS startedMs,
         (SELECT count(*) FROM lease l WHERE l.worker = worker.id) AS leases
       FROM worker WHERE stopped IS NULL ORDER BY id`,
    )
    .map(({ types, labels, ...row }) => ({
      ...row,
      types: readJson<string[]>(types, `worker ${row.id}`),
      labels: readJson<Record<string, string>>(labels, `worker ${row.id}`),
      alive: isLockHeld(db.path, row.uuid),
    }));
}

/** True for a worker that is there and no longer renews its leases, as far as this machine can tell. */
export function isStalled(
  { alive, boot, beatMono, leaseMs }: KnownWorker,
  machine: { readonly boot: string },
  nowMono: number,
): boolean {
  return alive && boot === machine.boot && nowMono - beatMono > leaseMs;
}
