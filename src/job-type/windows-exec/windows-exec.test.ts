import { expect, test } from "vitest";
import { AppError } from "../../error.ts";
import { crashRuleFor } from "../../job/crash.ts";
import { windowsExec } from "./windows-exec.ts";

const problems = (input: unknown): string => {
  const { error } = windowsExec.input.safeParse(input);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
};

test.each([
  [{ command: "" }, "command is empty"],
  [{ command: [] }, "command needs at least the program"],
  [{ command: [""] }, "command needs the name of a program first"],
  [{ command: { $secret: "TOKEN" } }, /^command takes no \$secret, because command lines show in process lists/],
  [{ command: ["curl", { $secret: "TOKEN" }] }, /^command takes no \$secret/],
  [{ command: "a\0b" }, /^command holds a NUL/],
  [{ command: 7 }, /^command is not a text/],
  [{ command: "x".repeat(32_001) }, /^command is longer than 32000/],
  [{ command: "x", idempotent_check: "" }, /^idempotent_check is empty/],
  [{ command: "x", shell: true }, /shell/],
])("%j is refused: %s", (input, message) => {
  expect(problems(input)).toMatch(message);
});

test("after a crash whose outcome is unknown the check decides where one was given, else the job stops", () => {
  const rule = (input: unknown) => crashRuleFor(windowsExec.rules.afterCrash, windowsExec.input.parse(input));
  expect(rule({ command: "x" })).toBe("stop");
  expect(rule({ command: "x", idempotent_check: "exit 0" })).toBe("check");
});

test("only what preceded the command, and may be better the next time, is tried again by itself", () => {
  const retried = (code: ConstructorParameters<typeof AppError>[0]) => windowsExec.retryable?.(new AppError(code, ""));
  for (const code of ["HOST_UNREACHABLE", "DATABASE_BUSY"] as const) expect(retried(code)).toBe(true);
  for (const code of ["EXIT_NONZERO", "SSH_AUTH_REFUSED", "SSH_HOST_KEY", "VERIFY_FAILED", "TIMEOUT"] as const)
    expect(retried(code)).toBe(false);
});
