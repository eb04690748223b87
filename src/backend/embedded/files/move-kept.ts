import { join } from "node:path";
import { isAttemptPath, keptPath } from "../../../artifact/attempt-folder.ts";
import type { ManifestFile } from "../../../artifact/manifest.ts";
import { writeManifestFile } from "../../../artifact/manifest-file.ts";
import { promote } from "../../../artifact/promotion.ts";
import { type Connection, readJson } from "../../../database/connection.ts";
import type { Writer } from "../../../database/writer.ts";
import type { JobNumber, JobNumbers } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { traceOf } from "../rows/trace-of.ts";

/** What moving needs. */
export interface MoveParts {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly numbers: JobNumbers;
}

/**
 * Moves promoted files to their place and records that; what a crash cut off is done again.
 *
 * @param job absent: every job whose files were not yet moved.
 */
export async function moveKept({ db, writer, numbers }: MoveParts, job?: JobNumber): Promise<void> {
  const select = "SELECT job, run, root, folder, at, files FROM manifest WHERE moved = 0";
  const rows = job === undefined ? db.all<ManifestRow>(select) : db.all<ManifestRow>(`${select} AND job = ?`, job);
  for (const row of rows) {
    const jobId = numbers.idOf(row.job);
    // A row that was written by hand must not move what is no attempt's.
    if (!isAttemptPath(row.folder, jobId, row.run)) continue;
    const to = keptPath(jobId, row.run);
    const files = readJson<ManifestFile[]>(row.files, `manifest of job ${row.job}`);
    promote({ root: row.root, from: row.folder, to, files });
    const traceId = readJob(db, row.job)?.env.trace ?? traceOf(jobId);
    writeManifestFile(join(row.root, to), { jobId, traceId, atMs: row.at, files });
    await writer.mutate(
      (tx) => tx.db.run("UPDATE manifest SET moved = 1, folder = ? WHERE job = ? AND run = ?", to, row.job, row.run),
      { durable: false },
    );
  }
}

interface ManifestRow {
  readonly job: JobNumber;
  readonly run: number;
  readonly root: string;
  readonly folder: string;
  readonly at: number;
  readonly files: string;
}
