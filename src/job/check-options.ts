import { AppError } from "../error.ts";
import { hintFor } from "./nearest.ts";

/**
 * Refuses an option that does not exist. Node runs a user's TypeScript without checking it, and an `idempotencykey` that
 * is ignored makes a job twice.
 *
 * @throws AppError `INVALID_INPUT` with the nearest option.
 */
export function checkOptions(call: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null)
    throw new AppError("INVALID_INPUT", `${call}: the options are ${options === null ? "null" : typeof options}`);
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new AppError("INVALID_INPUT", `${call}: there is no option ${unknown}; ${hintFor(unknown, known)}`);
}
