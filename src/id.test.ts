import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatUuid7, isUuid7, JobId, parseUuid7, type Uuid7Parts } from "./id.ts";

const parts: fc.Arbitrary<Uuid7Parts> = fc.record({
  unixMs: fc.oneof(
    fc.nat(2 ** 31),
    fc.maxSafeNat().map((value) => value % 2 ** 48),
    fc.constant(2 ** 48 - 1),
  ),
  counter: fc.nat(0xfff),
  tailHigh: fc.nat(0x3fff_ffff),
  tailLow: fc.nat(0xffff_ffff),
});

describe("ids", () => {
  test("the example of RFC 9562 is written and read", () => {
    const example = { unixMs: 0x017f22e279b0, counter: 0xcc3, tailHigh: 0x18c4dc0c, tailLow: 0x0c07398f };
    expect(formatUuid7(example)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    expect(parseUuid7("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")).toEqual(example);
  });

  test("what is written is an id and is read back", () => {
    fc.assert(
      fc.property(parts, (value) => {
        const text = formatUuid7(value);
        expect(isUuid7(text)).toBe(true);
        expect(JobId.parse(text)).toBe(text);
        expect(parseUuid7(text)).toEqual(value);
      }),
    );
  });

  test("every id that is read is written the same", () => {
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), (text) => {
        const read = parseUuid7(text);
        expect(read && formatUuid7(read)).toBe(text);
      }),
    );
  });

  test("ids sort by time, then by counter", () => {
    const sortKey = ({ unixMs, counter }: Uuid7Parts) => unixMs * 4096 + counter;
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        fc.pre(a.unixMs < 2 ** 40 && b.unixMs < 2 ** 40 && sortKey(a) !== sortKey(b));
        expect(formatUuid7(a) < formatUuid7(b)).toBe(sortKey(a) < sortKey(b));
      }),
    );
  });

  test.each([
    "",
    "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
    "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
    "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
    "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
    " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
    "../../../../../../../../../../etc/x",
  ])("%j is no id", (text) => {
    expect(isUuid7(text)).toBe(false);
    expect(parseUuid7(text)).toBeUndefined();
    expect(JobId.safeParse(text).error?.issues[0]?.message).toMatch(
      /^is not a job id \(a UUIDv7 such as [0-9a-f-]{36}\)$/,
    );
  });
});
