import { lstatSync } from "node:fs";
import { join } from "node:path";
import { keptPath } from "../../artifact/attempt-folder.ts";
import type { Manifest, ManifestFile } from "../../artifact/manifest.ts";
import { checkKeptPath, resolveBelow } from "../../artifact/path.ts";

/** A kept file and where it lies now. */
export interface LocatedFile extends ManifestFile {
  /** Absent: it is gone. */
  readonly absolute?: string;
}

/** Finds the files of a manifest: in the folder that it names, or where they are moved to at this moment. */
export function locateFiles({ root, folder, jobId, runNumber, files }: Manifest): readonly LocatedFile[] {
  const folders = [...new Set([folder, keptPath(jobId, runNumber)])].map((one) => join(root, one));
  return files.map((file) => {
    const parts = checkKeptPath(file.path);
    const absolute = folders.map((one) => resolveBelow(one, parts)).find(isFile);
    return absolute === undefined ? file : { ...file, absolute };
  });
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
