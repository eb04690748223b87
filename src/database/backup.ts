import type { Connection } from "./connection.ts";
import { type Copied, copyDatabase, refuseExisting } from "./copy.ts";
import { openAnyVersion } from "./open.ts";

/**
 * Copies a database to a new file, as it is at one moment; workers go on meanwhile. Kept files (artifacts and values too
 * large for the database) lie in their folder and are not part of it.
 *
 * @throws AppError `DATABASE_EXISTS` when `to` exists, `DATABASE_MISSING`, `DATABASE_FOREIGN`, `DATABASE_DAMAGED`, `DATABASE_FULL`, `DATABASE_UNWRITABLE`.
 */
export function backup(path: string, to: string): Copied & { readonly schema: number } {
  refuseExisting(to);
  const db: Connection = openAnyVersion(path);
  try {
    return { ...copyDatabase(db, to), schema: Number(db.pragma("user_version")) };
  } finally {
    db.close();
  }
}
