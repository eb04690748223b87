import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Environment } from "./interpolate.ts";

/** The folder in a project that holds its settings and its database. */
export const PROJECT_MARK = ".windlass";

/** The config file of a project, if there. */
export function findConfigFile(projectFolder: string): string | undefined {
  const path = join(projectFolder, PROJECT_MARK, "config.yaml");
  return standsThere(path) ? path : undefined;
}

/** The database of a user who works in no project. A relative XDG_STATE_HOME counts as unset, as its standard says. */
export function stateDatabasePath(env: Environment, home: string): string {
  const state = env["XDG_STATE_HOME"] ?? "";
  return join(isAbsolute(state) ? state : join(home, ".local", "state"), "windlass", "windlass.db");
}

/**
 * The folder that relative paths of a file start at: the file's own, but for a file in `.windlass/` the folder that holds
 * it, so that `windlass init` does not move the artifacts of a project that had none.
 */
export function baseFolderOf(configPath: string): string {
  const folder = dirname(configPath);
  return basename(folder) === PROJECT_MARK ? dirname(folder) : folder;
}

/** What a policy is called beside a database. */
export const POLICY_FILE = "windlass.policy.yaml";

/** The policy of the whole machine, which only root can make: where it is, nothing else counts. */
export const SYSTEM_POLICY = "/etc/windlass/policy.yaml";

/** The policy beside a database, if there: beside the file itself, also where the path is a link to it. */
export function findPolicy(databasePath: string): string | undefined {
  const folders = new Set([realPath(databasePath), databasePath].map((path) => dirname(path)));
  return [...folders].map((folder) => join(folder, POLICY_FILE)).find(standsThere);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** True also for what may not be looked at and for a link that leads nowhere: going on as if it said nothing would be wrong. */
export function standsThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOTDIR";
  }
}
