import { expect, test } from "vitest";
import { z } from "zod";
import { AppError } from "../../error.ts";
import { crashRuleFor } from "../../job/crash.ts";
import { keyNeeds } from "../../job/keys.ts";
import { alohaRun } from "./aloha-run.ts";

const problems = (input: unknown): string => {
  const { error } = alohaRun.input.safeParse(input);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
};

test("what is left out has the product's own value, and the desktop's lock is named", () => {
  const input = alohaRun.input.parse({ task: "open it" });
  expect(input).toEqual({
    task: "open it",
    max_steps: 50,
    selected_screen: 0,
    demonstration: "example_trace",
    host: "default",
  });
  const locksOf = (given: unknown) => keyNeeds("aloha.run", alohaRun.rules, alohaRun.input.parse(given));
  expect(locksOf({ task: "x" })).toMatchObject([{ key: "lock:desktop:default", limit: 1, strategy: "queue" }]);
  expect(locksOf({ task: "x", host: "lab1" })).toMatchObject([{ key: "lock:desktop:lab1" }]);
});

test.each([
  [{}, "task is missing"],
  [{ task: " \n" }, "task is empty; say what is to be done on the desktop"],
  [{ task: { $secret: "X" } }, "task takes no $secret, because it shows in the logs of Aloha"],
  [{ task: "x", max_steps: 0 }, /^max_steps /],
  [{ task: "x", max_steps: "5" }, /^max_steps /],
  [{ task: "x", selected_screen: -1 }, /^selected_screen /],
  [{ task: "x", demonstration: "" }, /^demonstration is a name/],
  [{ task: "x", demonstration: ".." }, /^demonstration is a name/],
  [{ task: "x", demonstration: "a/b" }, /^demonstration is a name/],
  [{ task: "x", demonstration: "C:x" }, /^demonstration is a name/],
  [{ task: "x", demonstration: "x".repeat(65) }, /^demonstration is a name/],
  [{ task: "x", server_url: "http://elsewhere" }, /server_url/],
])("%j is refused: %s", (input, message) => {
  expect(problems(input)).toMatch(message);
});

test("after a crash whose outcome is unknown the check decides where one was given, else the job stops", () => {
  const rule = (input: unknown) => crashRuleFor(alohaRun.rules.afterCrash, alohaRun.input.parse(input));
  expect(rule({ task: "x" })).toBe("stop");
  expect(rule({ task: "x", idempotent_check: "exit 0" })).toBe("check");
});

test("only what failed before anything was done is tried again by itself", () => {
  const retried = (...args: ConstructorParameters<typeof AppError>) => alohaRun.retryable?.(new AppError(...args));
  expect(retried("HOST_UNREACHABLE", "")).toBe(true);
  expect(retried("HOST_UNREACHABLE", "", { details: { acted: false } })).toBe(true);
  expect(retried("HOST_UNREACHABLE", "", { details: { acted: true } })).toBe(false);
  for (const code of ["DESKTOP_LOCKED", "STEP_LIMIT", "STOPPED_OUTSIDE", "ALOHA_FAILED", "OUTCOME_UNKNOWN"] as const) {
    expect(retried(code, "")).toBe(false);
  }
  expect(alohaRun.retryable?.(new TypeError("bug"))).toBe(false);
});

test("every field says what it is for, in JSON Schema too", () => {
  for (const [schema, io] of [
    [alohaRun.input, "input"],
    [alohaRun.result, "output"],
  ] as const) {
    const { properties = {} } = z.toJSONSchema(schema, { io });
    const silent = Object.entries(properties).filter(([, field]) => typeof field === "boolean" || !field.description);
    expect(silent).toEqual([]);
  }
});
