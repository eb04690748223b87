import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ManifestFile } from "./manifest.ts";

/** The list of a run's kept files as it lies beside them, for people and programs without the database. */
export const MANIFEST_FILE = "manifest.json";

/** What the list says beside the files. */
export interface ManifestFacts {
  readonly jobId: string;
  readonly traceId: string;
  /** When the attempt ended, in Unix milliseconds. */
  readonly atMs: number;
  readonly files: readonly ManifestFile[];
}

/** The list as text: {job_id, trace_id, created_at, artifacts: [{type, path, size_bytes, sha256}]}. */
export function manifestText({ jobId, traceId, atMs, files }: ManifestFacts): string {
  const artifacts = files.map(({ type, path, bytes, sha256 }) => ({ type, path, size_bytes: bytes, sha256 }));
  const manifest = { job_id: jobId, trace_id: traceId, created_at: new Date(atMs).toISOString(), artifacts };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/**
 * Writes `manifest.json`; paths are relative to its folder. It appears whole or not at all. The row in the database
 * decides; this repeats it.
 */
export function writeManifestFile(folder: string, facts: ManifestFacts): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `${MANIFEST_FILE}.part`);
  writeFileSync(temporary, manifestText(facts), { mode: 0o600 });
  renameSync(temporary, join(folder, MANIFEST_FILE));
}
