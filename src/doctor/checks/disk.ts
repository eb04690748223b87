import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { CheckContext } from "../check.ts";
import { type Finding, fail, notConfigured, ok, sayBytes, warn } from "../model/finding.ts";

const WARN_FREE_BYTES = 2 ** 30;
const FAIL_FREE_BYTES = 100 * 2 ** 20;
/** From here on the disk, and not the engine, says how fast jobs are stored. */
const SLOW_SYNC_MS = 5;
const SYNCS = 15;
const SYNC_LIMIT_MS = 1_000;

/** Room where the database grows. */
export function databaseSpace({ path }: CheckContext): Finding {
  return space(dirname(path), "a full disk stops workers; free some space, and they go on by themselves");
}

/** Room where kept files go. */
export function artifactSpace({ config }: CheckContext): Finding {
  return space(config.artifacts.outDir, "free some space, or remove kept files with `windlass artifacts gc --days N`");
}

function space(folder: string, remedy: string): Finding {
  const existing = nearestFolder(folder);
  const { bavail, bsize, blocks, files, ffree } = statfsSync(existing);
  const free = bavail * bsize;
  const facts = { folder: existing, free_bytes: free, total_bytes: blocks * bsize, free_inodes: ffree };
  const detail = `${sayBytes(free)} free of ${sayBytes(blocks * bsize)} at ${existing}`;
  // Some file systems count no files.
  if (files > 0 && ffree < 1_000) return fail(`only ${ffree} more files can be made at ${existing}`, remedy, facts);
  if (free < FAIL_FREE_BYTES) return fail(detail, remedy, facts);
  return free < WARN_FREE_BYTES ? warn(detail, remedy, facts) : ok(detail, facts);
}

/** What one acknowledged commit waits for, measured beside the database with a file of its own. */
export function diskSync({ path }: CheckContext): Finding {
  const folder = dirname(path);
  if (!isWritable(folder)) return notConfigured(`there is no folder ${folder} yet to measure in`);
  const times = measureSyncs(join(folder, `.windlass-doctor-${process.pid}`));
  if (times === undefined) return notConfigured(`there is no room in ${folder} to measure in`);
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const facts = { median_ms: round(median), worst_ms: round(sorted.at(-1) ?? 0), samples: sorted.length };
  const detail = `a write reaches the disk in ${facts.median_ms} ms (median of ${sorted.length}, worst ${facts.worst_ms} ms)`;
  if (median < SLOW_SYNC_MS) return ok(detail, facts);
  return warn(
    `${detail}: one caller can store at most ${Math.floor(1000 / median)} jobs a second one after another, and a worker's timers wait as long`,
    "put the database on a local SSD with --db, or enqueue many at once: they share a commit",
    facts,
  );
}

/** `undefined` on a full disk, which is another check's finding. */
function measureSyncs(file: string): number[] | undefined {
  const descriptor = openSync(file, "wx", 0o600);
  // Nameless from here on: nothing is left, however this ends.
  rmSync(file);
  try {
    const page = Buffer.alloc(4096);
    const times: number[] = [];
    const until = performance.now() + SYNC_LIMIT_MS;
    for (let n = 0; n < SYNCS && (n === 0 || performance.now() < until); n++) {
      writeSync(descriptor, page);
      const started = performance.now();
      fdatasyncSync(descriptor);
      times.push(performance.now() - started);
    }
    return times;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT"))
      return undefined;
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** The folder that workers write below. */
export function artifactFolder({ config }: CheckContext): Finding {
  const { outDir, store } = config.artifacts;
  if (store !== "folder")
    return notConfigured(`files are kept in ${store}, and this version cannot check it`, { store });
  const existing = nearestFolder(outDir);
  const facts = { folder: outDir, exists: existing === outDir };
  if (!isWritable(existing))
    return fail(
      `${outDir} cannot be written: ${existing === outDir ? "this user may not" : `nothing can be made in ${existing}`}`,
      "give this user the right to write there, or name another folder with artifacts.out_dir",
      facts,
    );
  return ok(existing === outDir ? `${outDir} can be written` : `${outDir} is made when it is needed`, facts);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function nearestFolder(folder: string): string {
  let current = folder;
  while (!existsSync(current) && dirname(current) !== current) current = dirname(current);
  return current;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
