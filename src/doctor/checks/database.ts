import { statSync } from "node:fs";
import { formatOrigin } from "../../config/schema/setting.ts";
import { checkFile, checkSchema } from "../../database/check.ts";
import { LOG_PAGES_MAX, readLog } from "../../database/checkpoint.ts";
import { fileUsers, logReaders, sayUsers } from "../../database/file-users.ts";
import { ownMigrations, schemaVersion } from "../../database/migrate.ts";
import { errorText } from "../../error.ts";
import type { CheckContext, OpenContext } from "../check.ts";
import { type Finding, fail, notConfigured, ok, sayBytes, sayCount, warn } from "../model/finding.ts";

/** Reading all of a file takes about 2 s for a gigabyte that is in memory, and much longer from a disk. */
const QUICK_CHECK_BYTES_MAX = 2 ** 30;

/** Which database it is, how it was found, and whether it can be opened. */
export function database({ config, loaded, path, db, openError }: CheckContext): Finding {
  const found = formatOrigin(loaded.origins.get("database.path") ?? { kind: "default" });
  if (config.backend !== "embedded")
    return notConfigured(`the backend is ${config.backend}; its database is not this program's`, {
      backend: config.backend,
    });
  const facts = { path, found };
  if (db !== undefined) return ok(`${path} (${found})`, { ...facts, bytes: sizeOf(path) });
  if (openError?.code === "DATABASE_MISSING")
    return notConfigured(`there is none yet at ${path} (${found})`, facts, "the first job or worker creates it");
  if (openError?.code === "DATABASE_BUSY")
    return {
      state: "unreachable",
      detail: errorText(openError),
      facts,
      remedy: `it is locked by ${sayUsers(fileUsers(path), "process")}: end that, or wait for it`,
    };
  // A file of something else may be dear to it; nothing of ours is lost there.
  if (openError?.code === "DATABASE_FOREIGN")
    return fail(
      errorText(openError),
      "name another file with --db, WINDLASS_DB or database.path; if it was a windlass database, put a backup in its place with `windlass db restore FILE`",
      { ...facts, code: openError.code },
    );
  return fail(
    openError === undefined ? `${path} cannot be opened` : errorText(openError),
    "put a backup in its place with `windlass db restore FILE`, or save what can be read with `windlass db check --salvage FILE`",
    { ...facts, code: openError?.code ?? null },
  );
}

/** The schema against what this program knows. */
export function schema({ db }: OpenContext): Finding {
  const version = Number(db.pragma("user_version"));
  const newest = schemaVersion(ownMigrations());
  const facts = { version, newest };
  if (version > newest)
    return fail(`schema ${version} is newer than this windlass, which knows ${newest}`, "use a newer windlass", facts);
  const [first, ...more] = checkSchema(db, version);
  if (first !== undefined)
    return fail(
      `${first.problem}${more.length > 0 ? ` and ${more.length} more` : ""}`,
      "it was changed by hand or by an unreleased version: `windlass db check` lists it; restore a backup",
      { ...facts, problems: more.length + 1 },
    );
  if (version < newest)
    return warn(
      `schema ${version} is older than this windlass, which needs ${newest}`,
      "stop older workers, then run `windlass db migrate` (it makes a copy first)",
      facts,
    );
  return ok(`schema ${version}, as its steps made it`, facts);
}

/** What SQLite itself can find without comparing indexes to tables. */
export function quickCheck({ db, path }: OpenContext): Finding {
  const bytes = sizeOf(path);
  if (bytes > QUICK_CHECK_BYTES_MAX)
    return ok(`not made: the file has ${sayBytes(bytes)}; run \`windlass db check\` when there is time`, {
      made: false,
      bytes,
    });
  const problems = checkFile(db, "quick");
  const [first] = problems;
  if (first === undefined) return ok("the file is sound", { made: true, bytes });
  return fail(
    `${sayCount(problems.length, "problem")}: ${first.problem}`,
    "stop the workers, save what can be read with `windlass db check --salvage FILE`, then `windlass db restore FILE`",
    { made: true, bytes, problems: problems.length },
  );
}

/** The write-ahead log, in pages: how many it holds, how many of them stand in the database already. */
export function log({ db, path }: OpenContext): Finding {
  const { busy, log: pages, checkpointed } = readLog(db);
  const waiting = pages - checkpointed;
  const facts = { busy, log: pages, checkpointed, log_bytes: sizeOf(`${path}-wal`) };
  if (waiting <= LOG_PAGES_MAX)
    return ok(`${pages} pages in the log, ${checkpointed} of them in the database already`, facts);
  const readers = logReaders(path)?.filter(({ pid }) => pid !== process.pid);
  if (readers?.length === 0)
    return warn(
      `${waiting} pages of the log are not in the database yet, and nobody reads`,
      "a running `windlass worker` empties it; without one the next command that writes does",
      facts,
    );
  return warn(
    `${waiting} pages of the log cannot be put into the database while ${sayUsers(readers, "reader")} reads`,
    "end what reads for so long; the log grows until then",
    { ...facts, readers: readers?.map(({ pid }) => pid).join(",") ?? null },
  );
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
