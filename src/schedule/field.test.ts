import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFields } from "./field.ts";

const refusal = (expression: string): string => {
  try {
    parseFields(expression);
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_CRON" });
    return (error as Error).message;
  }
  return "accepted";
};

describe("fields of a cron line", () => {
  test.each([
    ["61 * * * *", 'cron "61 * * * *": minute 61 is out of range 0-59'],
    ["* 24 * * *", 'cron "* 24 * * *": hour 24 is out of range 0-23'],
    ["* * 0 * *", 'cron "* * 0 * *": day-of-month 0 is out of range 1-31'],
    ["* * 32 * *", 'cron "* * 32 * *": day-of-month 32 is out of range 1-31'],
    ["* * * 13 *", 'cron "* * * 13 *": month 13 is out of range 1-12'],
    ["* * * * 8", 'cron "* * * * 8": day-of-week 8 is out of range 0-7'],
    ["1,2,99 * * * *", 'cron "1,2,99 * * * *": minute 99 is out of range 0-59'],
    ["0-60 * * * *", 'cron "0-60 * * * *": minute 60 is out of range 0-59'],
    ["*/0 * * * *", 'cron "*/0 * * * *": minute step 0 is out of range 1-60'],
    ["* */25 * * *", 'cron "* */25 * * *": hour step 25 is out of range 1-24'],
    ["* * * * */8", 'cron "* * * * */8": day-of-week step 8 is out of range 1-7'],
    ["0 22-6 * * *", 'cron "0 22-6 * * *": hour range 22-6 runs backwards; write 22-23,0-6'],
    ["5/10 * * * *", 'cron "5/10 * * * *": minute "5/10" has a step without a range; write 5-59/10'],
  ])("%s is refused with the field and the value", (expression, message) => {
    expect(refusal(expression)).toBe(message);
  });

  test.each([
    ["", "has 0 fields"],
    ["@daily", "has 1 field; write 5"],
    ["* * * *", "has 4 fields"],
    ["0 * * * * *", "has 6 fields"],
    ["0 0 0 1 1 * 2030", "has 7 fields"],
    ["0 0 L * *", 'day-of-month "L" is not understood'],
    ["0 0 15W * *", 'day-of-month "15W" is not understood'],
    ["0 0 ? * *", 'day-of-month "?" is not understood'],
    ["0 0 * * 5L", 'day-of-week "5L" is not understood'],
    ["0 0 * * MON#2", 'day-of-week "MON#2" is not understood'],
    ["0 0 1 * +MON", 'day-of-week "+MON" is not understood'],
    ["0 0 * FOO *", 'month "FOO" is not a number or one of JAN FEB'],
    ["JAN * * * *", 'minute "JAN" is not a number'],
    ["0, * * * *", 'minute "" is not understood'],
    ["-1 * * * *", 'minute "-1" is not understood'],
    ["1.5 * * * *", 'minute "1.5" is not understood'],
    ["1-2-3 * * * *", 'minute "1-2-3" is not understood'],
    ["** * * * *", 'minute "**" is not understood'],
  ])("%j, which another cron may take, is refused", (expression, part) => {
    expect(refusal(expression)).toContain(part);
  });

  test("names are read in any case, and a range may end on Sunday", () => {
    const fields = parseFields("0 0 * jan,Feb-APR SAT-SUN,wed");
    expect(fields.month.text).toBe("1,2-4");
    expect(fields.dayOfWeek.text).toBe("6-7,3");
    expect(parseFields("0 0 * * SUN-TUE").dayOfWeek.text).toBe("0-2");
  });

  test("a field with a star or a step is repeating, a list or a range is not", () => {
    const repeating = (hour: string) => parseFields(`0 ${hour} * * *`).hour.repeating;
    expect(["*", "*/2", "0-12/3", "1,*/6"].map(repeating)).toEqual([true, true, true, true]);
    expect(["0", "1,2", "0-23"].map(repeating)).toEqual([false, false, false]);
  });

  test("whatever the text is, there are fields or an INVALID_CRON", () => {
    const piece = fc.oneof(fc.constantFrom("*", "/", "-", ",", " ", "0", "5", "59", "MON", "L", "#"), fc.string());
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        if (refusal(text) === "accepted") expect(text.trim().split(/\s+/)).toHaveLength(5);
      }),
    );
  });
});
