import { existsSync, lstatSync, mkdirSync, type Stats, statSync } from "node:fs";
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

const OTHERS_WRITE = 0o022;
const OTHERS = 0o077;

/**
 * Keeps compiled code for the next start, which then need not compile. Where no folder is fit for it, nothing is kept and
 * nothing said: it is only slower.
 *
 * @param environment where XDG_CACHE_HOME may stand; a relative one counts as unset, as its standard says.
 */
export function keepCompiledCode(environment: Readonly<Record<string, string | undefined>>): void {
  // NODE_COMPILE_CACHE names a folder already.
  if (getCompileCacheDir() !== undefined) return;
  const folder = ownFolder(environment["XDG_CACHE_HOME"] ?? "", homedir());
  if (folder !== undefined) enableCompileCache(folder);
}

/**
 * A folder that this account alone can write. Node runs what it finds there without a look at the sources, so whoever
 * could write there could make this program do anything: no folder in `/tmp`, and none in the home of another account,
 * which `sudo` may leave in HOME.
 */
export function ownFolder(cacheHome: string, home: string): string | undefined {
  const [base, ...names] = [...(isAbsolute(cacheHome) ? [cacheHome] : [home, ".cache"]), "windlass", "compiled"];
  if (!isAbsolute(base)) return undefined;
  const folder = join(base, ...names);
  const uid = process.geteuid?.();
  try {
    const { uid: owner, mode } = statSync(base);
    if (owner !== uid || (mode & OTHERS_WRITE) !== 0) return undefined;
    const found = lstatSync(folder, { throwIfNoEntry: false }) ?? makeFolder(base, names);
    return found.isDirectory() && found.uid === uid && (found.mode & OTHERS) === 0 ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** Step by step: where nothing can be made, such as in `/proc`, Node's `recursive` tries for ever. */
function makeFolder(base: string, names: readonly string[]): Stats {
  let path = base;
  for (const name of names) {
    path = join(path, name);
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
  }
  return lstatSync(path);
}
