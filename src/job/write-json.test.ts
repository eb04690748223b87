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
    ["a toJSON that throws", { toJSON: fail }, "it holds what JSON cannot (no); "],
  ])("refuses %s", (_, value, words) => {
    expect(() => writeJson("it", value)).toThrow(
      expect.objectContaining({ code: "INVALID_INPUT", message: expect.stringContaining(words) }),
    );
  });
});

function fail(): never {
  throw new TypeError("no");
}
