import { DatabaseSync } from "node:sqlite";
import { isSafeSqlite, SQLITE_MIN } from "../../database/sqlite-version.ts";
import { type Finding, fail, ok } from "../model/finding.ts";

/** What runs this; `bin.ts` has refused an older one. */
export function node(): Finding {
  return ok(`Node.js ${process.version} on ${process.platform}`, {
    version: process.versions.node,
    platform: process.platform,
    arch: process.arch,
  });
}

/** Distributions link a SQLite of their own: what counts is what answers. */
export function sqlite(): Finding {
  const db = new DatabaseSync(":memory:");
  try {
    const version = String(db.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
    if (isSafeSqlite(version)) return ok(`SQLite ${version}`, { version });
    return fail(
      `SQLite ${version} can corrupt a database when two processes write to it`,
      `use Node.js from nodejs.org, which brings SQLite ${SQLITE_MIN.join(".")} or newer`,
      { version },
    );
  } finally {
    db.close();
  }
}
