import type { ArtifactIndex } from "../../../artifact/manifest.ts";
import type { MachineIdentity } from "../../../attempt/handlers.ts";
import { holdLock } from "../../../database/liveness.ts";
import { ownMigrations, schemaVersion } from "../../../database/migrate.ts";
import { AppError } from "../../../error.ts";
import { describeType } from "../../published-type.ts";
import type { ServeOptions } from "../../serving.ts";
import { moveKept } from "../files/move-kept.ts";
import { type RetentionDays, retain } from "../retention/retain.ts";
import { publishTypes } from "../rows/type-row.ts";
import { newWorkerUuid, registerWorker } from "../rows/worker-row.ts";
import type { WorkerParts } from "../running/worker-parts.ts";
import { EmbeddedWorker } from "./embedded-worker.ts";

/** What a worker is opened on. */
export interface ServeParts
  extends Pick<WorkerParts, "db" | "writer" | "clock" | "numbers" | "interned" | "epochs" | "limits" | "artifactRoot"> {
  readonly machine: () => MachineIdentity;
  readonly artifacts: ArtifactIndex;
  readonly retention: RetentionDays;
}

/**
 * Registers a worker of this process with its types, under a lock that others can see it live by. It does nothing before
 * it is started.
 *
 * @throws AppError `INVALID_DEFINITION` for two types of one name.
 */
export async function openWorker(parts: ServeParts, options: ServeOptions): Promise<EmbeddedWorker> {
  refuseTwice(options);
  const { db, writer, clock, limits, artifactRoot, artifacts, retention } = parts;
  const uuid = newWorkerUuid();
  const lock = holdLock(db.path, uuid);
  const machine = parts.machine();
  const schema = schemaVersion(ownMigrations());
  const { boot } = machine;
  try {
    const types = options.types.map(({ type }) => describeType(type));
    const id = await writer.mutate((tx) => {
      publishTypes(tx, types);
      const times = { leaseMs: limits.leaseMs, nowMono: clock.monotonic() };
      return registerWorker(tx, { uuid, boot, schema, artifactRoot, ...times, options });
    });
    const round = () => retain({ ...parts, artifacts, retention });
    return new EmbeddedWorker({ ...parts, id, uuid, lock, schema, machine, options, retain: round });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Starts it; what a worker before it left to be moved is moved beside its work. */
export function startWorker(worker: EmbeddedWorker, parts: ServeParts, { claims }: ServeOptions): void {
  worker.start();
  if (claims) void moveKept(parts).catch(() => undefined);
}

function refuseTwice({ types }: ServeOptions): void {
  const names = types.map(({ type }) => type.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new AppError("INVALID_DEFINITION", `two job types are named ${twice}; names are unique`);
}
