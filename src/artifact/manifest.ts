/** One kept file. */
export interface ManifestFile {
  /** Media type, by the ending of its name. */
  readonly type: string;
  /** Relative to the manifest's folder, `/` between parts. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal SHA-256 of the kept bytes. */
  readonly sha256: string;
}

/** The kept files of one run. The row is the promotion: what it does not list was never kept. */
export interface Manifest {
  readonly jobId: string;
  readonly runNumber: number;
  /** Absolute path below which all artifacts of the worker lay. */
  readonly root: string;
  /** Relative to the root, where the files lie now. */
  readonly folder: string;
  readonly atMs: number;
  readonly files: readonly ManifestFile[];
}

/** Reads manifests; every backend has one. */
export interface ArtifactIndex {
  /** The manifest of a run (default: the newest that has one). */
  manifest(jobId: string, runNumber?: number): Promise<Manifest | undefined>;
  /**
   * Removes the files and index rows of finished jobs that ended before a time; a job that is not finished is never
   * touched.
   *
   * @returns how many manifests were removed.
   */
  removeOlder(beforeMs: number): Promise<number>;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  txt: "text/plain",
  log: "text/plain",
  json: "application/json",
  ndjson: "application/x-ndjson",
  html: "text/html",
  png: "image/png",
  webm: "video/webm",
  zip: "application/zip",
};

/** The media type of a kept file by its name. */
export function mediaType(path: string): string {
  return MEDIA_TYPES[/\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ""] ?? "application/octet-stream";
}
