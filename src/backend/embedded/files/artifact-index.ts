import type { ArtifactIndex, Manifest, ManifestFile } from "../../../artifact/manifest.ts";
import { removeJobFiles } from "../../../artifact/promotion.ts";
import { type Connection, readJson } from "../../../database/connection.ts";
import type { Writer } from "../../../database/writer.ts";
import type { JobNumber, JobNumbers } from "../rows/job-number.ts";
import { readJob } from "../rows/job-row.ts";
import type { Notice } from "../rows/notice.ts";
import { standingOf } from "../rows/standing.ts";

/** The artifact index over the database. */
export function artifactIndex({
  db,
  writer,
  numbers,
}: {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly numbers: JobNumbers;
}): ArtifactIndex {
  return {
    async manifest(jobId, runNumber) {
      const number = numbers.numberOf(jobId) ?? -1;
      const row = db.get<{ run: number; root: string; folder: string; at: number; files: string }>(
        "SELECT run, root, folder, at, files FROM manifest WHERE job = ?1 AND (?2 IS NULL OR run = ?2) ORDER BY run DESC LIMIT 1",
        number,
        runNumber ?? null,
      );
      if (row === undefined) return undefined;
      return {
        jobId,
        runNumber: row.run,
        root: row.root,
        folder: row.folder,
        atMs: row.at,
        files: readJson<ManifestFile[]>(row.files, `manifest of job ${jobId}`),
      } satisfies Manifest;
    },
    async removeOlder(beforeMs) {
      let removed = 0;
      for (const { job, root } of oldManifests(db, beforeMs)) {
        // The row goes first: files without a row are rubbish, a row without files would be a lie.
        const gone = await writer.mutate((tx) =>
          isFinished(tx.db, job) ? tx.db.run("DELETE FROM manifest WHERE job = ?", job).changes : 0,
        );
        if (gone === 0) continue;
        removeJobFiles(root, numbers.idOf(job));
        removed += gone;
      }
      return removed;
    },
  };
}

function oldManifests(db: Connection, beforeMs: number): { job: JobNumber; root: string }[] {
  return db
    .all<{ job: JobNumber; root: string }>(
      "SELECT DISTINCT m.job, m.root FROM manifest m JOIN done d ON d.job = m.job GROUP BY m.job, m.root HAVING max(d.finished) < ?",
      beforeMs,
    )
    .filter(({ job }) => isFinished(db, job));
}

function isFinished(db: Connection, number: JobNumber): boolean {
  const job = readJob(db, number);
  return job === undefined || standingOf(db, job)?.kind === "done";
}
