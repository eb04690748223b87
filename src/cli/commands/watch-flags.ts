import { parseDuration } from "../../duration.ts";
import type { Call } from "../command.ts";
import type { Flag } from "../flag.ts";

/** Flags of commands that can follow a job to its end. */
export const WATCH_FLAGS: readonly Flag[] = [
  { name: "watch", kind: "boolean", description: "Follows the job to its end and exits with its verdict." },
  {
    name: "wait",
    kind: "text",
    placeholder: "DURATION",
    description: "With --watch: gives up after so long with status 4, while the job goes on.",
    default: "the job's timeout, from now on",
  },
];

/** True when the call asks to follow. @throws AppError `INVALID_DURATION` before anything is done. */
export function wantsWatch({ values }: Pick<Call, "values">): { readonly withinMs: number | undefined } | undefined {
  const wait = values.get("wait");
  const withinMs = wait === undefined ? undefined : parseDuration(String(wait), { what: "--wait" });
  return values.get("watch") === true || wait !== undefined ? { withinMs } : undefined;
}
