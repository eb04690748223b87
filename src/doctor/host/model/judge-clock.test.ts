import { expect, test } from "vitest";
import { judgeClock } from "./judge-clock.ts";

const asked = (utcMs: number, tookMs = 100) =>
  judgeClock({ kind: "said", value: { utcMs, timeZone: "UTC", beforeMs: 1_000_000, afterMs: 1_000_000 + tookMs } });

test("clocks that go together are told apart by milliseconds", () => {
  expect(asked(1_000_090)).toMatchObject({ state: "ok", facts: { skew_ms: 40, doubt_ms: 50, time_zone: "UTC" } });
});

test.each([
  [1_010_050, "10s ahead of"],
  [990_050, "10s behind"],
])("a clock at %s is worth a look, with what to type on both sides", (utcMs, text) => {
  expect(asked(utcMs)).toMatchObject({
    state: "warn",
    detail: `the machine's clock is ${text} this one`,
    remedy: expect.stringContaining("`w32tm /resync`"),
  });
});

test("what the question itself took is not held against the machine", () => {
  expect(asked(1_000_000, 12_000).state).toBe("ok");
});

test("no answer is a failure of its own", () => {
  const failed = { kind: "failed", error: { code: "SCRIPT_FAILED", message: "no" } } as const;
  expect(judgeClock(failed)).toMatchObject({ state: "fail", detail: "SCRIPT_FAILED: no" });
});
