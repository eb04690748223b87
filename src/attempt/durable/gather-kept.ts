import { copyFileSync, existsSync, linkSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { leadsOut } from "../../artifact/path.ts";
import type { RecordedFile } from "../../job/durable/outcome.ts";
import type { Edge } from "./turn.ts";

/**
 * Puts what the recorded steps of a run kept into the run's folder, which becomes its artifacts when it ends. What was kept and
 * not recorded is left behind.
 */
export function gatherKept({ durable, services, folder, request }: Edge): void {
  // Whoever writes the record must not make this account link or copy what is no file of the job, or to elsewhere.
  const files = durable.keptFiles().filter((file) => isOwn(file, request.jobId));
  for (const file of files) {
    const target = join(folder.make(), file.path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    // A later step that kept the same path replaces it.
    if (!isSuperseded(file, files)) linkOrCopy(join(services.artifactRoot, file.folder, file.path), target);
  }
}

function isOwn({ folder, path }: RecordedFile, jobId: string): boolean {
  return folder.startsWith(`${jobId}/`) && !leadsOut(folder) && !leadsOut(path);
}

function isSuperseded(file: RecordedFile, files: readonly RecordedFile[]): boolean {
  return files.findLast(({ path }) => path === file.path) !== file;
}

/** A link costs nothing; some file systems have none. Done already when an earlier end could not be recorded. */
function linkOrCopy(from: string, to: string): void {
  if (existsSync(to)) return;
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
