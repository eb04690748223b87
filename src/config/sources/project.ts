import { lstatSync, type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { configError } from "../schema/setting.ts";
import { PROJECT_MARK } from "./folders.ts";

/** The project that a call stands in. */
export interface Project {
  /** The nearest folder, upwards from here, that holds `.windlass/`. */
  readonly folder: string;
  /** The account that its `.windlass` belongs to, where that is neither the caller's nor root's. */
  readonly strangerUid: number | undefined;
}

/**
 * Finds the project of a working folder.
 *
 * @param uid the caller's account; `undefined` where the system has none, and then every project is trusted.
 */
export function findProject(cwd: string, uid: number | undefined): Project | undefined {
  let folder = resolve(cwd);
  for (;;) {
    const mark = join(folder, PROJECT_MARK);
    const target = statOf(mark);
    if (target?.isDirectory() === true) return { folder, strangerUid: strangerOf([target, lstatSync(mark)], uid) };
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

/** Above a folder that may not be searched there may be anything, which could not be used either. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** A link is as dangerous as what it leads to: whoever may change it decides what is read. */
function strangerOf(stats: readonly Stats[], uid: number | undefined): number | undefined {
  return uid === undefined ? undefined : stats.find((one) => one.uid !== uid && one.uid !== 0)?.uid;
}

/** What the call itself names, so that the project need not say it. */
export interface Named {
  readonly config: boolean;
  readonly database: boolean;
}

/**
 * Who can write a project's settings says which code runs in it, under which limits and rules; anybody can make a
 * `.windlass` in a shared folder such as /tmp. So a stranger's is not read (as git does not read a stranger's repository).
 *
 * @returns warnings, where what the call names is enough to go on without it.
 * @throws AppError `CONFIG`
 */
export function refuseStranger({ folder, strangerUid }: Project, named: Named, uid: number | undefined): string[] {
  if (strangerUid === undefined || (named.config && named.database)) return [];
  const mark = join(folder, PROJECT_MARK);
  const owner = `belongs to another account (uid ${strangerUid}; you are ${uid})`;
  if (named.database) return [`${mark} is not read, because it ${owner}; name the config file with --config to use it`];
  throw configError(
    mark,
    `${owner}, who could decide what runs here; name what you trust with --config PATH and --db PATH, or make the folder yours with chown`,
  );
}
