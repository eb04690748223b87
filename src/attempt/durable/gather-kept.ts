import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RecordedFile } from "../../job/durable/outcome.ts";
import { LOG_FILE } from "../context.ts";
import type { Edge } from "./coroutine.ts";

/**
 * Puts what the recorded steps of a run kept, and the log lines of its earlier attempts, into the folder of the attempt that
 * ends it, which then becomes the run's artifacts. What was kept and not recorded is left behind.
 */
export function gatherKept({ durable, services, folder, request }: Edge): void {
  const files = durable.keptFiles();
  for (const file of files) {
    const target = join(folder.make(), file.path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    // A later step that kept the same path replaces it.
    if (!isSuperseded(file, files)) linkOrCopy(join(services.artifactRoot, file.folder, file.path), target);
  }
  if (request.attempt > 1) gatherLogs(join(services.artifactRoot, dirname(folder.path)), request, folder);
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

function gatherLogs(attempts: string, { runNumber, attempt }: Edge["request"], folder: Edge["folder"]): void {
  if (!existsSync(attempts)) return;
  const earlier = readdirSync(attempts)
    .map((name) => /^(\d+)-(\d+)$/.exec(name))
    .filter((found) => Number(found?.[1]) === runNumber && Number(found?.[2]) < attempt)
    .sort((a, b) => Number(a?.[2]) - Number(b?.[2]))
    .map((found) => join(attempts, found?.[0] ?? "", LOG_FILE))
    .filter((path) => existsSync(path));
  if (earlier.length === 0) return;
  const own = join(folder.make(), LOG_FILE);
  const last = existsSync(own) ? readFileSync(own) : "";
  writeFileSync(own, Buffer.concat([...earlier.map((path) => readFileSync(path)), Buffer.from(last)]), { mode: 0o600 });
}
