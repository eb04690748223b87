import { describe, expect, test } from "vitest";
import { exitStatusOf } from "../../error.ts";
import type { JobState } from "../../job/state.ts";
import { jobVerdict } from "./status-output.ts";
import { waitVerdict } from "./wait.ts";

describe("the exit status of a job", () => {
  test.each<[JobState, string | null, number]>([
    ["completed", null, 0],
    ["failed", "EXIT_NONZERO: x", 1],
    ["failed", "HANDLER_FAILED: x", 1],
    ["failed", "OUTCOME_UNKNOWN: x", 1],
    ["failed", "TIMEOUT: x", 4],
    ["failed", "DEADLINE_EXCEEDED: x", 4],
    ["failed", "HOST_UNREACHABLE: x", 3],
    // What is a wrong call elsewhere is here a job that failed.
    ["failed", "INVALID_INPUT: x", 1],
    ["failed", "DATABASE_FULL: x", 1],
    ["failed", "CODE_OF_A_LATER_VERSION: x", 1],
    ["failed", null, 1],
    ["cancelled", "CANCELLED: x", 1],
    ["cancelled", null, 1],
    ["expired", "EXPIRED: x", 1],
    ["expired", null, 1],
  ])("%s with %j is %i", (state, error, status) => {
    const code = jobVerdict({ state, error });
    expect(code === undefined ? 0 : exitStatusOf(code)).toBe(status);
  });

  test.each<JobState>(["queued", "scheduled", "running", "waiting"])(
    "who waited for one that is %s gets 4",
    (state) => {
      const code = waitVerdict({ state, error: null });
      expect(code).toBe("WAIT_TIMEOUT");
    },
  );
});
