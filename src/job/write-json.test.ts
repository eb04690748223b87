import { describe, expect, test } from "vitest";
import { writeJson } from "./write-json.ts";

const circle: { self?: unknown } = {};
circle.self = circle;

describe("writeJson", () => {
  test.each([null, 0, "", "é\u2028\u{1F600}", [1, [2]], { a: { b: "9007199254740993" } }])("writes %j", (value) => {
    expect(JSON.parse(writeJson("it", value))).toEqual(value);
  });

  test.each([
    ["undefined", undefined, "it is undefined; it must be a JSON value"],
    ["a function", () => 1, "it is function; it must be a JSON value"],
    ["a bigint", { n: [5n] }, "it holds what JSON cannot (Do not know how to serialize a BigInt); "],
    ["an object that holds itself", circle, "it holds what JSON cannot (Converting circular structure to JSON); "],
    [
      "lists inside of each other beyond 1,000",
      nested(1_001),
      "it holds what JSON cannot (more than 1000 lists and objects",
    ],
    ["a toJSON that throws", { toJSON: fail }, "it holds what JSON cannot (no); "],
  ])("refuses %s", (_, value, words) => {
    expect(() => writeJson("it", value)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining(words) }),
    );
  });
});

test("marks in texts nest nothing, and what is nested less is written", () => {
  const texts = ["[{".repeat(2_000), "\\", '"', '\\"[', "x".repeat(3_000), nested(990)];
  expect(JSON.parse(writeJson("it", texts))).toEqual(texts);
  expect(() => writeJson("it", [...texts, nested(1_000)])).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
});

function nested(levels: number): unknown {
  return JSON.parse("[".repeat(levels) + "]".repeat(levels));
}

function fail(): never {
  throw new TypeError("no");
}
