import { expect, test } from "vitest";
import { jobLimitsOf } from "../config/job-limits.ts";
import { loadConfig } from "../config/load.ts";
import { CALL_DURATION_MAX_MS, DEFAULT_LIMITS } from "./limits.ts";

test("the limits that hold without a configuration are those that the configuration has by default", async () => {
  const { config } = await loadConfig({ env: {}, cwd: "/", home: "/nowhere" });
  expect(jobLimitsOf(config)).toMatchObject(DEFAULT_LIMITS);
});

test("a call may not ask for longer than a year", () => {
  expect(CALL_DURATION_MAX_MS).toBe(366 * 86_400_000);
});
