import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ArtifactIndex } from "../../../artifact/manifest.ts";
import { removeJobFiles } from "../../../artifact/promotion.ts";
import type { Clock } from "../../../clock.ts";
import type { Connection } from "../../../database/connection.ts";
import type { Writer } from "../../../database/writer.ts";
import { valuesOfEvents } from "../files/stored-text.ts";
import type { JobNumber, JobNumbers } from "../rows/job-number.ts";
import type { Notice } from "../rows/notice.ts";
import { type RetentionCursor, removeOld } from "./remove-old.ts";
import { sweep } from "./sweep.ts";

/** What configuration says about keeping; 0 days removes at the next round. */
export interface RetentionDays {
  readonly days: number;
  readonly jobs: number;
  readonly artifactDays: number;
}

/** What the hourly round needs. */
export interface RetainParts {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly clock: Clock;
  readonly numbers: JobNumbers;
  readonly artifacts: ArtifactIndex;
  readonly retention: RetentionDays;
}

const DAY_MS = 86_400_000;
/** Pages given back to the file system after each chunk. */
const VACUUM_PAGES = 1_000;

/** Removes what is past retention, in small transactions so that nobody waits long behind one. */
export async function retain(parts: RetainParts): Promise<void> {
  const { db, writer, clock, artifacts, retention } = parts;
  const now = clock.now();
  await artifacts.removeOlder(now - retention.artifactDays * DAY_MS);
  const rule = { beforeMs: now - retention.days * DAY_MS, jobsMax: retention.jobs };
  let cursor: RetentionCursor | undefined;
  do {
    const from = cursor;
    const step = await writer.mutate((tx) => removeOld(tx, rule, from), { durable: false });
    removeLeftovers(parts, step.removed);
    // Through the writer: another process that writes at this moment is waited for.
    if (step.removed.length > 0)
      await writer.mutate((tx) => tx.db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`), { durable: false });
    cursor = step.cursor;
  } while (cursor !== undefined);
  await writer.mutate((tx) => sweep(tx, rule.beforeMs), { durable: false });
  await removeLostValues({ db, writer, now });
}

/** What attempts wrote that no manifest holds: of those that were tried again, or whose worker died. */
function removeLeftovers({ db, numbers }: RetainParts, removed: readonly JobNumber[]): void {
  for (const root of artifactRoots(db)) for (const job of removed) removeJobFiles(root, numbers.idOf(job));
}

/** Every folder that a worker of this database wrote below. */
function artifactRoots(db: Connection): readonly string[] {
  return db.all<{ root: string }>("SELECT DISTINCT artifact_root AS root FROM worker").map(({ root }) => root);
}

/** Value files whose job is gone, and those whose commit never came, after a day. */
async function removeLostValues({
  db,
  writer,
  now,
}: {
  db: Connection;
  writer: Writer<Notice>;
  now: number;
}): Promise<void> {
  await writer.mutate(
    (tx) => tx.db.run("DELETE FROM value WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.id = value.job)"),
    { durable: false },
  );
  const known = new Set(db.all<{ name: string }>("SELECT name FROM value").map(({ name }) => name));
  for (const name of valuesOfEvents(db)) known.add(name);
  for (const root of artifactRoots(db)) {
    for (const file of filesOf(join(root, ".values"))) {
      const path = join(root, ".values", file);
      if (!known.has(`.values/${file}`) && now - statSync(path).mtimeMs > DAY_MS) rmSync(path, { force: true });
    }
  }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
