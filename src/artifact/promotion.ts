import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ManifestFile } from "./manifest.ts";
import { leadsOut } from "./path.ts";

/** What is to be moved: rows of the index whose move is not yet recorded. */
export interface Promotion {
  readonly root: string;
  /** Where the attempt wrote, relative to the root. */
  readonly from: string;
  /** Where the run's files lie from now on. */
  readonly to: string;
  readonly files: readonly ManifestFile[];
}

/**
 * Moves the files of a manifest to their place. The manifest decided what belongs to the run; this only follows it, may
 * be cut off anywhere and is repeated until it is recorded as done.
 */
export function promote({ root, from, to, files }: Promotion): void {
  for (const file of files) {
    if (leadsOut(file.path)) continue;
    const source = join(root, from, file.path);
    const target = join(root, to, file.path);
    if (!existsSync(source)) continue;
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    renameSync(source, target);
  }
  removeEmpty(join(root, from));
  const attempts = dirname(join(root, from));
  if (existsSync(attempts) && readdirSync(attempts).length === 0) rmdirSync(attempts);
}

/** Removes all files of a job, whichever run and attempt they came from. */
export function removeJobFiles(root: string, jobId: string): void {
  rmSync(join(root, jobId), { recursive: true, force: true });
}

/**
 * Removes what only the running attempt needed (`.part` files) and empty folders, including this one; anything else that
 * was not in the manifest stays as it is.
 */
function removeEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeEmpty(path);
    else if (entry.name.endsWith(".part")) rmSync(path, { force: true });
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
