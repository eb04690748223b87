import { describe, expect, test } from "vitest";
import { createRedactor } from "../redact.ts";
import { maskTexts } from "./mask-texts.ts";

describe("what is said of a job that resolved a secret", () => {
  const redactor = createRedactor();
  redactor.add("471100");

  test("has it in none of its texts and none of its names", () => {
    const said = { message: "with 471100", list: ["a", "471100", null], "of 471100": { deep: "471100!" } };
    expect(maskTexts(said, redactor)).toEqual({
      message: "with ***",
      list: ["a", "***", null],
      "of ***": { deep: "***!" },
    });
  });

  test("keeps its numbers, also those that look like one", () => {
    expect(maskTexts({ duration_ms: 4_711_005, ok: true, none: undefined }, redactor)).toEqual({
      duration_ms: 4_711_005,
      ok: true,
      none: undefined,
    });
  });

  test("is masked as JSON has it", () => {
    expect(maskTexts({ at: new Date(0), own: { toJSON: () => "471100" } }, redactor)).toEqual({
      at: "1970-01-01T00:00:00.000Z",
      own: "***",
    });
  });

  test("is left as it is where no secret was resolved", () => {
    const said = { message: "with 471100" };
    expect(maskTexts(said, undefined)).toBe(said);
  });
});
