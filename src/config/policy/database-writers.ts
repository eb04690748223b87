import { realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { firstPart, GROUP_WRITES, OTHERS_WRITE, STICKY } from "./trust.ts";

/**
 * What an account other than root's that may write a database could change so that another text stands at a path;
 * `undefined` when nothing. Whoever writes the database can ask for anything there, under any name: in a row an actor is
 * only a text. So a worker, which judges what others stored, cannot know which account asked, but it can see which ones
 * could have.
 *
 * Owners are told apart. Who is in a group is not looked up: where a group may write the database, every account may be
 * in it, and what a group may write, an account of the database may be in.
 *
 * @param path absolute.
 * @param database absolute; one that does not exist yet has the writers of its folder.
 */
export function partOfWriters(path: string, database: string): string | undefined {
  const places = [database, dirname(database), dirname(realPath(database))].flatMap((place) => statsOf(place) ?? []);
  const owners = new Set(places.map(({ uid }) => uid));
  // In a folder like /tmp the files of others can be neither removed nor renamed.
  const isOpen = places.some((stats) => !isSticky(stats) && (stats.mode & (GROUP_WRITES | OTHERS_WRITE)) !== 0);
  return firstPart(path, (_, stats) => {
    const { uid, gid, mode } = stats;
    if (uid !== 0 && (isOpen || owners.has(uid))) return true;
    if (isSticky(stats)) return false;
    return (mode & OTHERS_WRITE) !== 0 || (gid !== 0 && (mode & GROUP_WRITES) !== 0);
  });
}

function isSticky(stats: Stats): boolean {
  return stats.isDirectory() && (stats.mode & STICKY) !== 0;
}

/** Where a path is a link, the folder of the file itself counts too. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
