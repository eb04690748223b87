import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "../error.ts";

/**
 * The folder of the supervisor's own files, beside the database; nobody else may read it.
 *
 * @throws AppError `DATABASE_UNWRITABLE`
 */
export function supervisorFolder(databasePath: string): string {
  const folder = join(dirname(databasePath), "supervisor");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("DATABASE_UNWRITABLE", `the supervisor needs the folder ${folder}: ${why}`, { cause });
  }
}
