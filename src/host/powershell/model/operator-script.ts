import { AppError } from "../../../error.ts";
import { encodedCommand } from "./encoded-command.ts";

/** CreateProcess takes 32,767 UTF-16 units; the rest is for the path of powershell.exe and the options. */
const ENCODED_MAX = 32_000;

/**
 * The argv that runs an operator's PowerShell (an idempotence check, a verification) in a process of its own, so that its
 * exit code is exact: what runs inside the runner loses `exit n`. Its standard error is CLIXML ({@link decodeClixml}).
 *
 * @throws AppError `TOO_LARGE` from about 12,000 characters.
 */
export function powershellArgv(script: string): readonly string[] {
  const argv = encodedCommand(script);
  const length = argv.at(-1)?.length ?? 0;
  if (length > ENCODED_MAX) {
    throw new AppError(
      "TOO_LARGE",
      `a PowerShell text of ${script.length} characters does not fit on a command line of Windows; keep it below 12000`,
    );
  }
  return argv;
}

/**
 * True when a check printed `False` and exited 0. PowerShell's booleans are no exit codes: `Test-Path x` exits 0 whether
 * or not there is an x, so the caller, who goes by the code, should warn.
 */
export function printsFalse(code: number, stdout: string): boolean {
  return code === 0 && stdout.trim().toLowerCase() === "false";
}
