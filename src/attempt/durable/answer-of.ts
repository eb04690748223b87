import { AppError, type ErrorCode } from "../../error.ts";
import type { CallOutcome } from "../../job/durable/record.ts";

/** What a call gives its caller: the recorded value, or the recorded error, thrown. */
export function answerOf(outcome: Promise<CallOutcome>): Promise<unknown> {
  const value = outcome.then(answer);
  // A caller that does not wait for it is told by the next call; here the process would end for an error nobody asked for.
  value.catch(() => undefined);
  return value;
}

function answer(outcome: CallOutcome): unknown {
  switch (outcome.kind) {
    case "ok":
      return outcome.value;
    case "timeout":
      return undefined;
    case "error": {
      const { code, message, details } = outcome.error;
      // A later version may have recorded a code that this one does not know; codes are matched by name.
      throw new AppError(code as ErrorCode, message, details === undefined ? {} : { details });
    }
  }
}
