import { expect, test } from "vitest";
import { z } from "zod";
import { AppError } from "../../error.ts";
import { resolveSecrets, secretNames } from "../../job/secret.ts";
import { HTTP_METHODS, httpRequest } from "./http-request.ts";
import { secretOrigin } from "./secret-mark.ts";

const url = "https://example.com/a";
const problems = (input: unknown): readonly string[] => {
  const parsed = httpRequest.input.safeParse(input);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`);
};

test("a URL alone is a whole input: GET, five redirects", () => {
  expect(httpRequest.input.parse({ url })).toMatchObject({ method: "GET", url, redirects: 5 });
});

test("an input is parsed to the same from what was stored of it", () => {
  const given = { url, method: "POST", body: { $secret: "B" }, headers: { a: "1" }, expect_status: [201] };
  const stored = JSON.parse(JSON.stringify(httpRequest.input.parse(given)));
  expect(stored).toEqual({ ...given, redirects: 5 });
  expect(JSON.stringify(httpRequest.input.parse(stored))).toBe(JSON.stringify(stored));
});

test.each([
  ["a secret in the URL", { url: { $secret: "TOKEN" } }, "url takes no $secret"],
  ["no URL at all", {}, "url is missing"],
  ["a URL that is a number", { url: 1 }, "url is not a text"],
  ["a URL without a scheme", { url: "example.com" }, "url is not a URL"],
  ["a URL that is a file", { url: "file:///etc/passwd" }, "url begins with file:"],
  ["a user name in the URL", { url: "https://me@example.com" }, "url holds a user name or a password"],
  ["a password in the URL", { url: "https://:pw@example.com" }, "url holds a user name or a password"],
  ["an unknown key", { url, verb: "GET" }, "verb"],
  ["a method that it does not send", { url, method: "TRACE" }, "method"],
  ["a body with GET", { url, body: "x" }, "body a GET or HEAD request has no body"],
  ["a body with HEAD", { url, method: "HEAD", body: "" }, "body a GET or HEAD request has no body"],
  ["a Host header", { url, headers: { Host: "internal" } }, "headers.Host is a header that Windlass writes itself"],
  ["a length of its own", { url, headers: { "content-length": "1" } }, "headers.content-length is a header that"],
  ["a hop-by-hop header", { url, headers: { "Proxy-Authorization": "x" } }, "headers.Proxy-Authorization is a header"],
  ["a header name with a space", { url, headers: { "a b": "1" } }, "headers.a b is not a header name"],
  ["a header given twice", { url, headers: { Accept: "a", accept: "b" } }, "headers.accept is given twice"],
  ["a line break in a header", { url, headers: { a: "1\r\nb: 2" } }, "headers.a holds a line break"],
  ["a secret with a wrong name", { url, headers: { a: { $secret: "no-name" } } }, "headers.a"],
  ["a status below 200", { url, expect_status: 199 }, "expect_status"],
  ["an empty list of statuses", { url, expect_status: [] }, "expect_status"],
  ["too many redirects", { url, redirects: 21 }, "redirects"],
  ["a negative number of redirects", { url, redirects: -1 }, "redirects"],
])("%s is refused", (_what, input, message) => {
  expect(problems(input).join("\n")).toContain(message);
});

test("a refused header value is not quoted", () => {
  expect(problems({ url, headers: { a: "hunter2\n" } }).join()).not.toContain("hunter2");
});

test("every field is described, in JSON Schema too", () => {
  const { properties } = z.toJSONSchema(httpRequest.input, { io: "input" });
  expect(Object.keys(properties ?? {})).toEqual(["method", "url", "headers", "body", "expect_status", "redirects"]);
  for (const [name, property] of Object.entries(properties ?? {})) expect(property, name).toHaveProperty("description");
  const result = z.toJSONSchema(httpRequest.result).properties ?? {};
  expect(Object.keys(result)).toEqual(["status", "headers", "body_sha256", "bytes", "final_url"]);
});

test("after a crash all but POST and PATCH are sent again", () => {
  const { afterCrash } = httpRequest.rules;
  if (typeof afterCrash === "string") throw new AppError("INTERNAL", "the rule is a table");
  const rerun = HTTP_METHODS.filter((method) => (afterCrash.cases[method] ?? afterCrash.otherwise) === "rerun");
  expect([afterCrash.field, rerun]).toEqual(["method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]]);
});

test("what came from secrets is still known when the texts stand there", () => {
  const headers = { "X-Key": { $secret: "KEY" }, accept: "*/*" };
  const parsed = httpRequest.input.parse({ url, method: "POST", headers, body: { $secret: "BODY" } });
  expect(secretNames(parsed)).toEqual(["BODY", "KEY"]);
  const resolved = resolveSecrets(parsed, (name) => `value of ${name}`);
  expect(resolved).toMatchObject({ headers: { "X-Key": "value of KEY" }, body: "value of BODY" });
  expect(secretOrigin(resolved)).toEqual({ headers: new Set(["x-key"]), body: true });
  expect(secretOrigin(httpRequest.input.parse({ url, headers: { a: "1" } }))).toEqual({
    headers: new Set(),
    body: false,
  });
});

test("an input that lost the note counts as secret throughout", () => {
  const lost = structuredClone({ url, headers: { A: "1" }, body: "x" });
  expect(secretOrigin(lost)).toEqual({ headers: new Set(["a"]), body: true });
});

test.each([
  ["HOST_UNREACHABLE", { repeatable: true }, true],
  ["HOST_UNREACHABLE", { repeatable: false }, false],
  ["HOST_UNREACHABLE", {}, false],
  ["TIMEOUT", { repeatable: true }, true],
  ["TIMEOUT", { repeatable: false }, false],
  ["UNEXPECTED_STATUS", { repeatable: true, status: 429 }, true],
  ["UNEXPECTED_STATUS", { repeatable: true, status: 502 }, true],
  ["UNEXPECTED_STATUS", { repeatable: true, status: 503 }, true],
  ["UNEXPECTED_STATUS", { repeatable: true, status: 504 }, true],
  ["UNEXPECTED_STATUS", { repeatable: true, status: 500 }, false],
  ["UNEXPECTED_STATUS", { repeatable: true, status: 404 }, false],
  ["UNEXPECTED_STATUS", { repeatable: false, status: 503 }, false],
  ["ADDRESS_REFUSED", { repeatable: true }, false],
  ["TOO_LARGE", { repeatable: true }, false],
  ["CANCELLED", { repeatable: true }, false],
] as const)("%s with %j is tried again: %s", (code, details, again) => {
  expect(httpRequest.retryable?.(new AppError(code, "failed", { details }))).toBe(again);
});

test("an error of the program itself is not tried again", () => {
  expect(httpRequest.retryable?.(new TypeError("x"))).toBe(false);
});
