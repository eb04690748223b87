import { readdirSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Config } from "../config/config.ts";

/** A file or folder that others can get at. */
export interface LooseMode {
  readonly path: string;
  readonly mode: number;
  /** What it should be. */
  readonly wanted: number;
}

/** Bits that let others in, and those that let them write. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;
const GROUP = 0o070;
const SETGID = 0o2000;
/** Folders of jobs that are looked at: all are made in one way. */
const SAMPLED = 200;

/**
 * What should be its owner's alone and is not: the database with everything beside it that bears its name, and the folders
 * of jobs. Folders above may be read by others, and not be written.
 */
export function looseModes({
  database: { path },
  artifacts: { outDir },
}: Pick<Config, "database" | "artifacts">): LooseMode[] {
  // Rights mean something else there.
  if (process.platform === "win32") return [];
  const folder = dirname(path);
  const own = namesIn(folder)
    .filter((name) => name === basename(path) || isBeside(name, basename(path)))
    .map((name) => join(folder, name));
  const locks = namesIn(`${path}.workers`).map((name) => join(`${path}.workers`, name));
  const jobs = namesIn(outDir)
    .slice(-SAMPLED)
    .map((name) => join(outDir, name));
  const shared = isShared(path) ? ~GROUP : ~0;
  return [
    ...own.flatMap((each) => loose(each, OTHERS & shared) ?? []),
    ...[...locks, ...jobs].flatMap((each) => loose(each, OTHERS) ?? []),
    ...[loose(folder, OTHERS_WRITE & shared), loose(outDir, OTHERS_WRITE)].filter((found) => found !== undefined),
  ];
}

/**
 * True for a database in a folder that gives its group to what is made in it, and lets that group write: somebody shares it
 * between accounts, as docs/threat-model.md says.
 */
export function isShared(databasePath: string): boolean {
  const mode = lookAt(dirname(databasePath))?.mode ?? 0;
  return (mode & SETGID) !== 0 && (mode & GROUP) === GROUP;
}

/** `w.db-wal`, `w.db.work`, `w.db.before-1`: never another file whose name begins the same. */
function isBeside(name: string, database: string): boolean {
  return name.startsWith(`${database}-`) || name.startsWith(`${database}.`);
}

function loose(path: string, bits: number): LooseMode | undefined {
  const stats = lookAt(path);
  // Where only the owner of a file may remove it, a folder may be everybody's: /tmp.
  if (stats === undefined || (stats.mode & bits) === 0 || (stats.mode & STICKY) !== 0) return undefined;
  const mode = stats.mode & 0o777;
  return { path, mode, wanted: mode & ~bits };
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
