import { expect, test } from "vitest";
import { AppError } from "../../error.ts";
import { playwrightRun } from "./playwright-run.ts";

function problemOf(input: unknown): string | undefined {
  return playwrightRun.input.safeParse(input).error?.issues[0]?.message;
}

test("the input has defaults, and every field says what it does", () => {
  expect(playwrightRun.input.parse({ url: "https://example.com/" })).toEqual({
    url: "https://example.com/",
    screenshot: false,
    trace: false,
    video: false,
    wait_until: "load",
    host: "default",
  });
});

test.each([
  ["file:///C:/Windows/win.ini", "begins with file:"],
  ["data:text/html,<p>x", "begins with data:"],
  ["javascript:alert(1)", "begins with javascript:"],
  ["chrome://version", "begins with chrome:"],
  ["about:blank", "begins with about:"],
  ["view-source:http://example.com", "begins with view-source:"],
  ["FILE:///etc/passwd", "begins with file:"],
  ["example.com", "is not a URL"],
  ["http://user:word@example.com/", "holds a user name or a password"],
  [{ $secret: "URL" }, "takes no $secret"],
  [undefined, "is missing"],
  [7, "is not a text"],
])("the url %j is refused: %s", (url, said) => {
  expect(problemOf({ url })).toContain(said);
});

test("unknown fields and words are refused", () => {
  expect(problemOf({ url: "https://example.com/", fullpage: true })).toContain("fullpage");
  expect(problemOf({ url: "https://example.com/", wait_until: "idle" })).toBeDefined();
});

test.each([
  ["HOST_UNREACHABLE", {}, true],
  ["TIMEOUT", {}, true],
  ["PAGE_FAILED", { passing: true }, true],
  ["PAGE_FAILED", { passing: false }, false],
  ["PAGE_FAILED", {}, false],
  ["PLAYWRIGHT_VERSION_MISMATCH", {}, false],
  ["PLAYWRIGHT_PATH_REJECTED", {}, false],
  ["PREREQUISITE_MISSING", {}, false],
  ["ARTIFACT_MISSING", {}, false],
] as const)("%s %j is tried again: %s", (code, details, again) => {
  expect(playwrightRun.retryable?.(new AppError(code, "x", { details }))).toBe(again);
});
