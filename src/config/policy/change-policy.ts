import { chownSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { configError } from "../schema/setting.ts";
import { DEFAULT_POLICY } from "./default-policy.ts";
import { readPolicyFile } from "./policy-file.ts";

/** What came of a change: `refused` where this account may not write the file. */
export type PolicyChange = "written" | "refused";

const REFUSALS = ["EACCES", "EPERM", "EROFS"];

/**
 * Makes a policy file another text, as a whole or not at all: a worker that starts meanwhile reads the old or the new one.
 * No copy is kept; what is added is told.
 *
 * @throws AppError `CONFIG` when the new text is no policy; then nothing is changed.
 */
export function changePolicy(path: string, text: string): PolicyChange {
  // Where a link stands it stays one.
  const target = realpathSync(path);
  const { mode, uid, gid } = statSync(target);
  const own = process.geteuid?.();
  // A file that is written anew would be this account's from then on.
  if (own !== undefined && own !== 0 && own !== uid) return "refused";
  const fresh = `${target}.${process.pid}.new`;
  try {
    writeFileSync(fresh, text, { flag: "wx", mode: mode & 0o777 });
    if (own === 0) chownSync(fresh, uid, gid);
    readPolicyFile(fresh);
    renameSync(fresh, target);
    return "written";
  } catch (error) {
    rmSync(fresh, { force: true });
    if (REFUSALS.includes((error as NodeJS.ErrnoException).code ?? "")) return "refused";
    throw error;
  }
}

/**
 * Writes the default policy where there is none.
 *
 * @throws AppError `CONFIG` where it cannot be written.
 */
export function createPolicy(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, DEFAULT_POLICY, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw configError(path, `cannot be written (${code})`, error);
  }
}
