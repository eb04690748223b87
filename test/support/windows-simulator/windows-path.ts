import { existsSync, readdirSync } from "node:fs";
import { join, win32 } from "node:path";

/** The whole form of a path, seen from a current folder: `C:\a\b`, normalised, without a trailing backslash. */
export function wholePath(path: string, cwd: string): string {
  return win32.resolve(cwd, path.replace(/^\\\\[?.]\\/, ""));
}

/**
 * Where a Windows path lies on the real disk: `C:` is a folder of the machine, names are found whatever their case, and
 * `NUL` is `/dev/null`. `undefined` for another drive and for network paths.
 */
export function realPath(folder: string, path: string, cwd: string): string | undefined {
  if (/^(.*[\\/])?nul:?$/i.test(path)) return "/dev/null";
  const whole = wholePath(path, cwd);
  if (!/^c:(\\|$)/i.test(whole)) return undefined;
  const names = whole.slice(2).split("\\");
  // Windows drops dots and blanks at the end of a name.
  const trimmed = names.map((name) => name.replace(/[. ]+$/, "")).filter((name) => name !== "");
  return trimmed.reduce((parent, name) => join(parent, nameOnDisk(parent, name)), join(folder, "C:"));
}

function nameOnDisk(parent: string, name: string): string {
  if (existsSync(join(parent, name))) return name;
  try {
    return readdirSync(parent).find((entry) => entry.toLowerCase() === name.toLowerCase()) ?? name;
  } catch {
    return name;
  }
}

/** The Windows path of something below the machine's `C:`. */
export function windowsPath(folder: string, real: string): string {
  const drive = join(folder, "C:");
  if (real === drive) return "C:\\";
  if (!real.startsWith(`${drive}/`)) throw new Error(`${real} does not lie in ${drive}`);
  return `C:${real.slice(drive.length).replaceAll("/", "\\")}`;
}
