import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { AppError } from "../../error.ts";

/**
 * The absolute path of a program. A name with a slash is taken as it is, a relative one from `cwd`; any other is looked
 * for on PATH, where entries that are not absolute are passed over: they would depend on the folder that a job names.
 *
 * @param path the PATH that the program will have.
 * @throws AppError `PROGRAM_NOT_STARTED` when it is missing or cannot be executed.
 */
export function findExecutable(name: string, { path, cwd }: { path: string | undefined; cwd: string }): string {
  const candidates = name.includes("/")
    ? [resolve(cwd, name)]
    : (path ?? "").split(":").flatMap((folder) => (isAbsolute(folder) ? [join(folder, name)] : []));
  const problems = candidates.map((candidate) => ({ candidate, problem: executableProblem(candidate) }));
  const found = problems.find(({ problem }) => problem === undefined);
  if (found !== undefined) return found.candidate;
  const unusable = problems.find(({ problem }) => problem !== "missing");
  if (unusable !== undefined) throw notStarted(`program ${unusable.candidate} ${unusable.problem}`);
  throw notStarted(
    name.includes("/")
      ? `program ${candidates[0]} does not exist; check argv[0]${isAbsolute(name) ? "" : ", which is read from cwd"}`
      : `program ${JSON.stringify(name)} is not on PATH (${path || "empty"}); give its absolute path, or the PATH that has it in env`,
  );
}

/**
 * Checks the folder that a program is to run in.
 *
 * @throws AppError `PROGRAM_NOT_STARTED` when it is missing or is no folder.
 */
export function checkFolder(cwd: string): void {
  let problem: string | undefined;
  try {
    if (!statSync(cwd).isDirectory()) problem = "is not a folder; name the folder that holds it";
    else accessSync(cwd, constants.X_OK);
  } catch (error) {
    const missing = isMissing(error);
    problem = missing
      ? "does not exist on this machine; create it or name another"
      : "cannot be entered by this worker";
  }
  if (problem !== undefined) throw notStarted(`cwd ${cwd} ${problem}`);
}

/** An error that is known to precede the program's start. `transient`: trying again can help. */
export function notStarted(message: string, options: { transient?: boolean; cause?: unknown } = {}): AppError {
  const { transient = false, cause } = options;
  return new AppError("PROGRAM_NOT_STARTED", message, { details: { transient }, cause });
}

function executableProblem(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return "is not a file; name the program itself in argv[0]";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return isMissing(error)
      ? "missing"
      : "cannot be executed by this worker; make it executable (chmod +x), or name its interpreter first in argv";
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
