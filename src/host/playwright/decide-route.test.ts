import { expect, test } from "vitest";
import { decideRoute, isLoopback } from "./decide-route.ts";

test.each([
  ["auto", "127.0.0.1", false, "ssh"],
  ["auto", "127.0.0.1", true, "direct"],
  ["auto", "localhost", false, "ssh"],
  ["auto", "10.0.0.7", false, "direct"],
  ["auto", "lab1.example", false, "direct"],
  ["on", "10.0.0.7", true, "ssh"],
  ["off", "127.0.0.1", false, "direct"],
] as const)("tunnel %s, host %s, answered %s: %s", (tunnel, host, isAnswered, route) => {
  expect(decideRoute({ tunnel, host, isAnswered })).toBe(route);
});

test.each(["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "a.localhost", "::1", "[::1]"])(
  "%s is this machine",
  (host) => {
    expect(isLoopback(host)).toBe(true);
  },
);

test.each(["128.0.0.1", "127.example", "0.0.0.0", "::", "localhost.example"])("%s is not", (host) => {
  expect(isLoopback(host)).toBe(false);
});
