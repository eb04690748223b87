import { existsSync } from "node:fs";
import { settlesWithin, systemClock } from "../clock.ts";
import { ownMigrations, schemaVersion } from "../database/migrate.ts";
import { openAnyVersion } from "../database/open.ts";
import { type Duration, formatDuration, parseDuration } from "../duration.ts";
import { AppError } from "../error.ts";
import { osUser } from "../host/local/os-user.ts";
import { checkOptions } from "../job/check-options.ts";
import type { JobType } from "../job/definition.ts";
import { isJobType, loadJobFiles } from "../job-type/job-files.ts";
import { openGate } from "../operations/open-gate.ts";
import type { WrittenActor } from "../policy/actor.ts";
import { callerOf } from "../policy/caller.ts";
import { composeWindlass, type Windlass, type WindlassOptions } from "../windlass.ts";
import type { WindlassClient } from "./client.ts";
import { ConnectedClient } from "./connected-client.ts";
import { type ConfigInput, readConfig } from "./read-config.ts";

/** How {@link openWindlass} opens. All of it may be left out. */
export interface OpenOptions {
  /** Configuration in code; stronger than the file and the environment. Relative paths start at the working folder. */
  readonly config?: ConfigInput;
  /** A config file; else `WINDLASS_CONFIG`, else `.windlass/config.yaml` of the project folder, if there. */
  readonly configFile?: string;
  /** The SQLite file; the same as `database.path` in the configuration. */
  readonly db?: string;
  /** Job types of your own, beside those of the files that the configuration names as `jobs`. */
  readonly jobs?: readonly JobType[];
  /** Who asks, such as `agent:codex`; only stricter than what was found (see {@link WindlassClient.actor}). */
  readonly actor?: string | WrittenActor;
  /** The longest that opening may take, 1 ms to 1 h. Default `timeout` of the configuration (10 s). */
  readonly connectTimeout?: Duration;
  /**
   * Brings a database of an older version up to date, after making a copy of it. Default false: that is
   * `windlass db migrate`, or a `windlass worker` of this version.
   */
  readonly migrate?: boolean;
}

const OPTIONS = [
  "config",
  "configFile",
  "db",
  "jobs",
  "actor",
  "connectTimeout",
  "migrate",
] satisfies (keyof OpenOptions)[];

/**
 * Opens Windlass: reads the configuration as the program does, opens the place where jobs live (a database that does not
 * exist is created) and proves with a round trip that it answers and can be written.
 *
 * ```ts
 * await using windlass = await openWindlass({ jobs: [hello] });
 * await windlass.startWorker();
 * console.log(await windlass.runAndWait(hello, { name: "world" }));
 * ```
 *
 * @throws AppError `CONFIG` naming the key, `INVALID_DEFINITION` for two job types of one name, `USAGE` for an actor that is
 * not stricter, `DATABASE_OLDER`, `DATABASE_NEWER`, `DATABASE_FOREIGN`, `DATABASE_UNWRITABLE`, `DATABASE_BUSY` when it did
 * not answer within `connectTimeout`; with `migrate` `POLICY_DENIED`.
 */
export async function openWindlass(options: OpenOptions = {}): Promise<WindlassClient> {
  checkOptions("openWindlass", options, OPTIONS);
  const own = checkTypes(options.jobs ?? []);
  const { config, warnings } = await readConfig(options);
  const timeoutMs =
    options.connectTimeout === undefined
      ? config.timeoutMs
      : parseDuration(options.connectTimeout, { what: "connectTimeout", maxMs: 3_600_000 });
  const actor = callerOf({
    onTerminal: process.stdout.isTTY === true,
    user: osUser(),
    variable: config.actor,
    asked: options.actor,
    via: "library",
  });
  if (options.migrate === true && isOlder(config.database.path))
    await (await openGate(config)).ask(actor, { operation: "db.migrate", access: "write", labels: {} });
  // A type that is in `jobs` and in a file is the same value, because a module is loaded once.
  const types = [...new Set([...own, ...(await loadJobFiles(config.jobs))])];
  const mode = options.migrate === true ? "migrate" : "write";
  const windlass = await connect({ config, mode, types, environment: process.env }, timeoutMs);
  // Types of this process are then known without waiting, which enqueueWith needs.
  for (const name of windlass.types.keys()) await windlass.submit.load(name);
  return new ConnectedClient({ windlass, actor, warnings }) as WindlassClient;
}

/** What cannot be opened is told by opening it. */
function isOlder(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const db = openAnyVersion(path);
    const version = Number(db.pragma("user_version"));
    db.close();
    return version < schemaVersion(ownMigrations());
  } catch {
    return false;
  }
}

function checkTypes(jobs: readonly JobType[]): readonly JobType[] {
  const wrong = Array.isArray(jobs) ? jobs.findIndex((job) => !isJobType(job)) : 0;
  if (wrong === -1) return jobs;
  throw new AppError(
    "INVALID_DEFINITION",
    Array.isArray(jobs)
      ? `openWindlass: jobs[${wrong}] is no job type; give what defineJob returns`
      : "openWindlass: jobs is no list; write jobs: [hello]",
  );
}

/** Opens and asks; whatever does not answer in time is closed as soon as it lets go. */
async function connect(options: WindlassOptions, timeoutMs: number): Promise<Windlass> {
  const opening = open({ ...options, busyLimitMs: timeoutMs });
  if (await settlesWithin(systemClock, timeoutMs, opening)) return opening;
  void opening.then((windlass) => windlass[Symbol.asyncDispose]()).catch(() => undefined);
  throw new AppError(
    "DATABASE_BUSY",
    `database ${options.config.database.path} did not answer within ${formatDuration(timeoutMs)} (connectTimeout); another process holds it, try again`,
  );
}

async function open(options: WindlassOptions): Promise<Windlass> {
  const windlass = await composeWindlass(options);
  try {
    // An empty transaction proves more than a read: that the disk and its rights let this process write.
    await (windlass.embedded === undefined ? windlass.backend.types() : windlass.embedded.enqueueWith(() => undefined));
    return windlass;
  } catch (error) {
    await windlass[Symbol.asyncDispose]();
    throw error;
  }
}
