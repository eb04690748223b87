import { ERRORS, isAppError, toErrorRecord } from "../../error.ts";
import { writeError } from "../../job/durable/outcome.ts";
import type { ChildRequest } from "./services.ts";
import type { Act, Edge } from "./turn.ts";

/** Makes a child; a refusal is recorded as the outcome of the call, so that a replay is refused alike. */
export function makeChild(edge: () => Edge, child: ChildRequest): Act {
  return async (call, suspend) => {
    const { durable } = edge();
    try {
      return await durable.child(call, child, suspend);
    } catch (error) {
      // What stands in the way of any write is no answer of the call.
      if (!isRefusal(error)) throw error;
      const outcome = writeError(toErrorRecord(error));
      await durable.append(call, outcome);
      return { kind: "settled", outcome };
    }
  };
}

function isRefusal(error: unknown): boolean {
  if (!isAppError(error) || error.code === "LEASE_LOST" || error.code === "INTERNAL") return false;
  return !error.code.startsWith("DATABASE_") && ERRORS[error.code].exit !== 3;
}
