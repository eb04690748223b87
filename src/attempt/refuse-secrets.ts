import { AppError } from "../error.ts";
import type { Redactor } from "../redact.ts";
import { maskedJson } from "./mask-texts.ts";

/**
 * Holds the value of a secret back from the input of another job or run: inputs are stored as they are given, and a mask in
 * its place would be taken for it.
 *
 * @throws AppError `INVALID_INPUT`.
 */
export function refuseSecrets(what: string, input: unknown, redactor: Redactor | undefined): void {
  if (redactor === undefined) return;
  const [given, masked] = [maskedJson(input, undefined), maskedJson(input, redactor)];
  if (given.kind === "refused" || masked.kind === "refused" || given.text === masked.text) return;
  throw new AppError(
    "INVALID_INPUT",
    `${what} holds the value of a secret, which is stored nowhere; give its name, { $secret: "NAME" }, where the schema of the type takes a secret`,
  );
}
