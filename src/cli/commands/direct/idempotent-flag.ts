import { AppError } from "../../../error.ts";
import type { Call } from "../../command.ts";
import type { Flag } from "../../flag.ts";

/** The word of the original for what the check alone says. */
export const IDEMPOTENT_FLAG: Flag = {
  name: "idempotent",
  kind: "boolean",
  description:
    "Says that the command may be given twice; needs --idempotent-check, which is applied wherever it is given.",
};

/** @throws AppError `USAGE` for `--idempotent` without a check. */
export function checkIdempotent(
  { command, values }: Pick<Call, "command" | "values">,
  said: Readonly<Record<string, unknown>>,
): void {
  if (values.get(IDEMPOTENT_FLAG.name) !== true || said["idempotent_check"] !== undefined) return;
  throw new AppError(
    "USAGE",
    `${command}: --idempotent needs --idempotent-check, PowerShell that exits 0 when the work is done already`,
  );
}
