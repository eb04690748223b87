import { expect, test } from "vitest";
import { followRedirect, type Leg } from "./redirect.ts";

const NONE = { headers: new Set<string>(), body: false };
const legFrom = (leg: Partial<Leg>): Leg => ({
  method: "GET",
  url: new URL("https://a.example/start#part"),
  headers: {},
  secret: NONE,
  ...leg,
});

test.each([200, 204, 300, 304, 305, 306, 404])("%i is no redirect", (status) => {
  expect(followRedirect(legFrom({}), status, "/next")).toBeUndefined();
});

test("a redirect without a location is an answer", () => {
  expect(followRedirect(legFrom({}), 302, undefined)).toBeUndefined();
});

test.each([
  [301, "POST", "GET"],
  [302, "POST", "GET"],
  [303, "POST", "GET"],
  [307, "POST", "POST"],
  [308, "POST", "POST"],
  [301, "PUT", "PUT"],
  [302, "DELETE", "DELETE"],
  [302, "PATCH", "PATCH"],
  [303, "PUT", "GET"],
  [303, "DELETE", "GET"],
  [303, "HEAD", "HEAD"],
  [303, "GET", "GET"],
  [308, "PATCH", "PATCH"],
  [301, "HEAD", "HEAD"],
])("%i turns %s into %s", (status, method, expected) => {
  const hasBody = method !== "GET" && method !== "HEAD";
  const headers = { "content-type": "text/plain", accept: "*/*" };
  const next = followRedirect(legFrom({ method, headers, ...(hasBody ? { body: "x" } : {}) }), status, "/next");
  expect(next?.method).toBe(expected);
  const keeps = method === expected;
  expect(next?.body).toBe(keeps && hasBody ? "x" : undefined);
  expect(next?.headers).toEqual(keeps ? headers : { accept: "*/*" });
});

test.each([
  ["/next", "https://a.example/next#part"],
  ["next#other", "https://a.example/next#other"],
  ["//b.example/x", "https://b.example/x#part"],
  ["https://b.example", "https://b.example/#part"],
])("the location %s is read against the URL before it", (location, expected) => {
  expect(followRedirect(legFrom({}), 302, location)?.url.href).toBe(expected);
});

const secretLeg = legFrom({
  headers: { authorization: "Bearer x", cookie: "a=b", "x-key": "k", accept: "*/*" },
  secret: { headers: new Set(["x-key"]), body: false },
});

test("credentials stay with their origin", () => {
  expect(followRedirect(secretLeg, 307, "/next")?.headers).toEqual(secretLeg.headers);
  for (const other of ["https://b.example/", "https://a.example:8443/", "https://sub.a.example/"]) {
    expect(followRedirect(secretLeg, 307, other)?.headers, other).toEqual({ accept: "*/*" });
  }
});

test("credentials that were dropped do not come back with the first origin", () => {
  const away = followRedirect(secretLeg, 302, "https://b.example/");
  expect(away && followRedirect(away, 302, "https://a.example/")?.headers).toEqual({ accept: "*/*" });
});

test.each([
  ["a URL of another scheme", legFrom({}), "ftp://a.example/", "ADDRESS_REFUSED"],
  ["a user name", legFrom({}), "https://me@a.example/", "ADDRESS_REFUSED"],
  ["a text that is no URL", legFrom({}), "http://[", "UNEXPECTED_STATUS"],
  ["http, with credentials", secretLeg, "http://a.example/", "ADDRESS_REFUSED"],
  [
    "another origin, with a secret body",
    legFrom({ method: "PUT", body: "s", secret: { ...NONE, body: true } }),
    "https://b.example",
    "ADDRESS_REFUSED",
  ],
])("a redirect to %s is refused", (_what, leg, location, code) => {
  expect(() => followRedirect(leg, 307, location)).toThrowError(expect.objectContaining({ code }));
});

test("http without credentials is followed, and a secret body is left behind with a 303", () => {
  expect(followRedirect(legFrom({}), 302, "http://a.example/")?.url.protocol).toBe("http:");
  const leg = legFrom({ method: "POST", body: "s", secret: { ...NONE, body: true } });
  expect(followRedirect(leg, 303, "https://b.example/")).toMatchObject({ method: "GET", secret: { body: false } });
});
