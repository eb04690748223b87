import { AppError, type ErrorCode } from "../../error.ts";
import type { RunEnd } from "../../host/aloha/model/decide-end.ts";
import type { LogEvidence } from "../../host/aloha/model/log-evidence.ts";
import type { AlohaRunInput } from "./aloha-run.ts";

/** The error of an end that is not `completed`. */
export function errorOfEnd(
  end: Exclude<RunEnd, { kind: "completed" }>,
  input: AlohaRunInput,
  evidence: LogEvidence | undefined,
): AppError {
  const [code, message] = describe(end, input);
  const steps = evidence?.steps ?? 0;
  // Without an answer to the first screenshot there was no action either.
  const acted = end.kind !== "no_response" || steps > 1;
  return new AppError(code, message, { details: { state: end.kind, steps, acted } });
}

function describe(end: Exclude<RunEnd, { kind: "completed" }>, input: AlohaRunInput): readonly [ErrorCode, string] {
  switch (end.kind) {
    case "step_limit":
      return [
        "STEP_LIMIT",
        `Aloha did all ${input.max_steps} steps and did not say that the task is done; look at the desktop, or give it more with max_steps`,
      ];
    case "stopped":
      return ["STOPPED_OUTSIDE", "somebody stopped the run, and it was not this job"];
    case "no_response":
      return [
        "HOST_UNREACHABLE",
        "Aloha's action server gave its client no answer; start it, and see in aloha/log.txt what the client met",
      ];
    case "failed":
      return ["ALOHA_FAILED", `${end.reason}; see aloha/log.txt`];
    case "unknown":
      return [
        "OUTCOME_UNKNOWN",
        `the run is over, and how it ended is not known: ${end.reason}; look at the desktop, then \`windlass jobs retry\` to do it again`,
      ];
  }
}
