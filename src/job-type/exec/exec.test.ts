import { expect, test } from "vitest";
import { z } from "zod";
import { AppError } from "../../error.ts";
import { crashRuleFor } from "../../job/crash.ts";
import { secretNames } from "../../job/secret.ts";
import { exec } from "./exec.ts";

const problems = (input: unknown): string => {
  const { error } = exec.input.safeParse(input);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
};

test("a secret is refused where it would show in process lists, and taken in env and stdin", () => {
  expect(problems({ argv: ["curl", { $secret: "TOKEN" }] })).toMatch(/^argv\.1 takes no \$secret.*env or stdin$/);
  expect(problems({ argv: ["x"], check_argv: [{ $secret: "TOKEN" }] })).toMatch(/^check_argv\.0 takes no \$secret/);
  const parsed = exec.input.parse({ argv: ["x"], env: { A: { $secret: "ONE" }, B: "b" }, stdin: { $secret: "TWO" } });
  expect(secretNames(parsed)).toEqual(["ONE", "TWO"]);
});

test.each([
  [{ argv: [] }, "argv needs at least the program"],
  [{ argv: [""] }, "argv needs the name of a program first"],
  [{ argv: "ls" }, /^argv /],
  [{ argv: ["a\0b"] }, /^argv\.0 holds a NUL/],
  [{ argv: ["x"], cwd: "" }, /^cwd is empty/],
  [{ argv: ["x"], env: { "A B": "1" } }, /^env\.A B is not a name of a variable/],
  [{ argv: ["x"], env: { A: "1\0" } }, /^env\.A holds a NUL/],
  [{ argv: ["x"], env: { PWD: "/" } }, /^env\.PWD is set by the shell/],
  [{ argv: ["x"], env: { WINDLASS_ACTOR: "person:root" } }, /^env\.WINDLASS_ACTOR is set by the worker/],
  [{ argv: ["x"], orphan: "ignore" }, /^orphan /],
  [{ argv: ["x"], shell: true }, /shell/],
])("%j is refused: %s", (input, message) => {
  expect(problems(input)).toMatch(message);
});

test("after a crash whose outcome is unknown the check decides where one was given, else the job stops", () => {
  const rule = (input: unknown) => crashRuleFor(exec.rules.afterCrash, exec.input.parse(input));
  expect(rule({ argv: ["x"] })).toBe("stop");
  expect(rule({ argv: ["x"], check_argv: ["test", "-e", "y"] })).toBe("check");
});

test("only what preceded the program, and may be better the next time, is tried again by itself", () => {
  const retried = (error: unknown) => exec.retryable?.(error);
  expect(retried(new AppError("PROGRAM_NOT_STARTED", "", { details: { transient: true } }))).toBe(true);
  expect(retried(new AppError("PROGRAM_NOT_STARTED", "", { details: { transient: false } }))).toBe(false);
  expect(retried(new AppError("DATABASE_BUSY", ""))).toBe(true);
  for (const code of ["EXIT_NONZERO", "TIMEOUT", "OUTCOME_UNKNOWN", "LEASE_LOST"] as const) {
    expect(retried(new AppError(code, ""))).toBe(false);
  }
  expect(retried(new TypeError("bug"))).toBe(false);
});

test("every field says what it is for, in JSON Schema too", () => {
  for (const [schema, io] of [
    [exec.input, "input"],
    [exec.result, "output"],
  ] as const) {
    const { properties = {} } = z.toJSONSchema(schema, { io });
    const silent = Object.entries(properties).filter(([, field]) => typeof field === "boolean" || !field.description);
    expect(silent).toEqual([]);
  }
});
