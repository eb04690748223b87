import { expect, test } from "vitest";
import { isAppError } from "../error.ts";
import type { Flag } from "./flag.ts";
import { flagsOfSchema } from "./schema-flags.ts";
import { readTypedInput } from "./typed-input.ts";

const TEXT_OR_LIST = { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] };
const WITH_LINE = flagsOfSchema({
  properties: { command: { ...TEXT_OR_LIST, words: { first: "cmd", further: "arg" } }, host: { type: "string" } },
}).map((flag): Flag => ({ ...flag, ofType: true }));
const WITH_ARGV = flagsOfSchema({ properties: { argv: { type: "array", items: { type: "string" } } } }).map(
  (flag): Flag => ({ ...flag, ofType: true }),
);

const read = (flags: readonly Flag[], values: Record<string, unknown>, rest?: readonly string[]): unknown => {
  try {
    return readTypedInput({ command: "run", flags, values: new Map(Object.entries(values)), rest } as never);
  } catch (error) {
    return isAppError(error) ? `${error.code}: ${error.message}` : error;
  }
};

test.each([
  ["one word alone is a line", { cmd: "echo OK" }, undefined, { command: "echo OK" }],
  ["with arguments it is a program", { cmd: "echo", arg: ["a b", ""] }, undefined, { command: ["echo", "a b", ""] }],
  ["one word behind -- is a line", { host: "lab1" }, ["echo ok"], { host: "lab1", command: "echo ok" }],
  ["several words behind -- are an argv", {}, ["echo", "ok"], { command: ["echo", "ok"] }],
  ["nothing is nothing", {}, undefined, {}],
])("a field that is a line or a list: %s", (_, values, rest, expected) => {
  expect(read(WITH_LINE, values, rest)).toEqual(expected);
});

test("what is said twice or half is refused", () => {
  expect(read(WITH_LINE, { arg: ["x"] })).toBe("USAGE: run: --arg is an argument of --cmd, which is missing");
  expect(read(WITH_LINE, { cmd: "x" }, ["y"])).toBe("USAGE: run: give command by --cmd or behind --, not both");
  expect(read(WITH_ARGV, { argv: ["x"] }, ["y"])).toBe("USAGE: run: give argv by --argv or behind --, not both");
  expect(read([], {}, ["y"])).toBe("USAGE: run: this job type has no argv, so nothing may follow --");
  expect(read(WITH_LINE, { cmd: "x", "input-json": {} })).toMatch(/^USAGE: run: give the input as flags or as/);
});

test("one word behind -- is an argv where only an argv will do", () => {
  expect(read(WITH_ARGV, {}, ["true"])).toEqual({ argv: ["true"] });
});
