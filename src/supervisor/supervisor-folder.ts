import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of the supervisor's own files, beside the database; nobody else may read it. */
export function supervisorFolder(databasePath: string): string {
  const folder = join(dirname(databasePath), "supervisor");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}
