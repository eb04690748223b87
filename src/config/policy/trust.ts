import { accessSync, constants, lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The account that asks. */
export interface Account {
  readonly uid: number;
  readonly groups: readonly number[];
}

/** The account of this process; `undefined` where the system has no numbers for accounts. */
export function ownAccount(): Account | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  return { uid, groups: [...(process.getgroups?.() ?? []), process.getegid?.() ?? -1] };
}

const LINKS_MAX = 40;
/** Bits of a mode. */
export const [GROUP_WRITES, OTHERS_WRITE, STICKY] = [0o020, 0o002, 0o1000];

/**
 * What an account could change so that another text stands at a path: the file, a folder above it (there it could be
 * replaced), or a link on the way. `undefined` when nothing. Root can change everything.
 *
 * @param path absolute.
 */
export function writablePart(path: string, account: Account): string | undefined {
  if (account.uid === 0) return path;
  return firstPart(path, (part, stats) => isWritable(part, stats, account));
}

/** The first part of a path, from the top and along its links, that can be changed as the test says. */
export function firstPart(path: string, isChangeable: (part: string, stats: Stats) => boolean): string | undefined {
  let links = 0;
  const visit = (whole: string): string | undefined => {
    const steps = whole.split("/").filter((step) => step !== "");
    let at = "/";
    if (isChangeable(at, lstatSync(at))) return at;
    for (const [index, step] of steps.entries()) {
      at = join(at, step);
      const stats = lstatSync(at);
      if (stats.isSymbolicLink()) {
        // That everybody may write a link says nothing; who owns it, or the folder that holds it, can move it.
        stats.mode &= ~(GROUP_WRITES | OTHERS_WRITE);
        if (isChangeable(at, stats) || ++links > LINKS_MAX) return at;
        return visit(resolve(dirname(at), readlinkSync(at), ...steps.slice(index + 1)));
      }
      if (isChangeable(at, stats)) return at;
    }
    return undefined;
  };
  try {
    return visit(path);
  } catch {
    // What cannot be looked at cannot be vouched for.
    return path;
  }
}

/** Who owns a thing may give themselves the right to write it. */
function isWritable(path: string, stats: Stats, { uid, groups }: Account): boolean {
  if (stats.uid === uid) return true;
  // As /tmp: others' entries in it can be neither removed nor renamed.
  if (stats.isDirectory() && (stats.mode & STICKY) !== 0) return false;
  if ((stats.mode & OTHERS_WRITE) !== 0) return true;
  if ((stats.mode & GROUP_WRITES) !== 0 && groups.includes(stats.gid)) return true;
  return !stats.isSymbolicLink() && uid === process.geteuid?.() && kernelLetsWrite(path);
}

/** Knows of access lists and capabilities too, but only of this process's own account. */
function kernelLetsWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
