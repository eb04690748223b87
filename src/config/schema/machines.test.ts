import fc from "fast-check";
import { expect, test } from "vitest";
import { HOST_NAME, WINDOWS } from "./machines.ts";

const place = { key: "k", origin: { kind: "default" }, folder: "/", home: "/", secret: false } as const;
const user = (text: string): string => WINDOWS["windows.ssh_user"].parse(text, place);

test.each(["localhost", "lab-1.example", "10.0.0.7", "fe80::1%eth0", "[::1]", "_srv.lan", "bücher.example"])(
  "%s can be a machine",
  (name) => {
    expect(HOST_NAME.pattern.test(name)).toBe(true);
  },
);

test.each([
  "-oProxyCommand=id",
  "a b",
  "a@b",
  "ssh://a",
  "a;id",
  "$(id)",
  "`id`",
  "a|id",
  "a'",
  'a"',
  "a\nb",
  "a&b",
  "",
  "a\\b",
])("%j cannot be a machine", (name) => {
  expect(HOST_NAME.pattern.test(name)).toBe(false);
});

test.each(["administrator", "LAB1\\browser", "svc$", "ann@lab.example", "first last"])(
  "%s can be an account",
  (name) => {
    expect(user(name)).toBe(name);
  },
);

test.each(["-oProxyCommand=id", "a -oX=y", "a;id", "`id`", "a|b", "a'b", 'a"b', "a(b", "a\nb", "", "a\\"])(
  "%j cannot be an account",
  (name) => {
    expect(() => user(name)).toThrow("must be the name of an account");
  },
);

test("whatever passes is a name to ssh and to a shell behind a ProxyCommand, and never an option", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      if (HOST_NAME.pattern.test(text)) expect(text).not.toMatch(/^-|[\s'"`$;&|<>(){}*?!\\@/#~]/);
    }),
    { numRuns: 5_000 },
  );
});
