import { constants } from "node:fs";
import { rm, writeFile } from "node:fs/promises";

/** Never through a link that a program may have put there. */
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/**
 * Writes how a command ended as the only line of a file. On a full disk there is no such file: the verdict of what ended
 * is worth more than a copy of what its result says too.
 *
 * @param ending the exit code, or a word for its end where there is none.
 */
export async function writeExitCode(path: string, ending: number | string): Promise<void> {
  try {
    await writeFile(path, `${ending}\n`, { mode: 0o600, flag: WRITE });
  } catch {
    await rm(path, { force: true });
  }
}
