import { copyFileSync, existsSync, linkSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RecordedFile } from "../../job/durable/outcome.ts";
import type { Edge } from "./turn.ts";

/**
 * Puts what the recorded steps of a run kept into the run's folder, which becomes its artifacts when it ends. What was kept and
 * not recorded is left behind.
 */
export function gatherKept({ durable, services, folder }: Edge): void {
  const files = durable.keptFiles();
  for (const file of files) {
    const target = join(folder.make(), file.path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    // A later step that kept the same path replaces it.
    if (!isSuperseded(file, files)) linkOrCopy(join(services.artifactRoot, file.folder, file.path), target);
  }
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
