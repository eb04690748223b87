import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "./error.ts";
import { createLogger, formatLogLine, formatPairs, formatTimestamp } from "./logfmt.ts";

/** Reads one line by the rule and by nothing else; throws where the line breaks it. */
function parseStrictly(line: string): Map<string, string> {
  expect(line).toMatch(/^[\x20-\x7e]*$/);
  const pairs = new Map<string, string>();
  let rest = line;
  while (rest !== "") {
    const match =
      /^([A-Za-z0-9_.-]+)=(?:"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[nt"\\]|\\u[0-9a-f]{4})*)"|([\x21\x23-\x3c\x3e-\x5b\x5d-\x7e]+))(?: (?=.)|$)/.exec(
        rest,
      );
    if (match === null) expect.fail(`not a pair: ${rest}`);
    const [whole, key = "", quoted, bare] = match;
    expect(pairs.has(key), `twice: ${key}`).toBe(false);
    const value = quoted === undefined ? bare : JSON.parse(`"${quoted}"`);
    if (quoted !== undefined)
      expect(quoted === "" || /[^\x21-\x7e]|["=\\]/.test(value), `needless quotes: ${quoted}`).toBe(true);
    pairs.set(key, value ?? "");
    rest = rest.slice(whole.length);
  }
  return pairs;
}

const key = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,10}$/).filter((name) => name !== "__proto__");
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", " ", "a=b", "\u0000", "\u007f", "\ud800", "😀", "\\n", "null"),
);

describe("pairs", () => {
  test.each([
    ["bare", "bare"],
    ["it's[1],2;{}:/?&%", "it's[1],2;{}:/?&%"],
    ["", '""'],
    [" ", '" "'],
    ["a b", '"a b"'],
    ["a=b", '"a=b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["C:\\x", '"C:\\\\x"'],
    ["a\nb\tc\rd", '"a\\nb\\tc\\u000dd"'],
    ["\u001b[31m\u007f", '"\\u001b[31m\\u007f"'],
    ["Grüße", '"Gr\\u00fc\\u00dfe"'],
    ["😀", '"\\ud83d\\ude00"'],
  ])("the value %j is written %s", (value, written) => {
    expect(formatPairs({ key: value })).toBe(`key=${written}`);
  });

  test("values that are no texts", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const values = {
      a: 1,
      b: -0.5,
      c: true,
      d: null,
      e: undefined,
      f: 10n,
      g: new Date(0),
      h: [1],
      i: { x: 1 },
      j: circle,
    };
    expect(formatPairs(values)).toBe(
      'a=1 b=-0.5 c=true d=null f=10 g=1970-01-01T00:00:00.000Z h=[1] i="{\\"x\\":1}" j="[object Object]"',
    );
  });

  test("an error is written as it is shown to people", () => {
    expect(formatPairs({ err: new AppError("TIMEOUT", "took 10s") })).toBe('err="TIMEOUT: took 10s"');
    expect(formatPairs({ err: new TypeError("bad") })).toBe("err=bad");
  });

  test("a key that may not stand is mended, and none comes twice", () => {
    expect(formatPairs({ "a b": 1, a_b: 2, "a=b": 3, "": 4 })).toBe("a_b=1 a_b_=2 a_b__=3 _=4");
  });

  test("a strict reader reads back what was written", () => {
    fc.assert(
      fc.property(fc.dictionary(key, text), (pairs) => {
        expect(parseStrictly(formatPairs(pairs))).toEqual(new Map(Object.entries(pairs)));
      }),
      { numRuns: 1000 },
    );
  });

  test("whatever is given, the line can be read", () => {
    fc.assert(
      fc.property(
        fc.dictionary(text, fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true })),
        (pairs) => {
          parseStrictly(formatPairs(pairs));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("log lines", () => {
  test("the head comes first, the fields in their order, and a field cannot pretend to be the head", () => {
    const event = { ts: 1_795_266_000_123.25, level: "info", component: "cli", op: "doctor", msg: "all well" } as const;
    expect(formatLogLine({ ...event, fields: { job_id: "x", level: "error", msg: "" } })).toBe(
      'ts=2026-11-21T13:00:00.123250000Z level=info component=cli op=doctor msg="all well" job_id=x level_=error msg_=""\n',
    );
  });

  test("times have nine digits and never run ahead", () => {
    expect(formatTimestamp(0)).toBe("1970-01-01T00:00:00.000000000Z");
    fc.assert(
      fc.property(fc.double({ min: 0, max: 253_402_300_799_999, noNaN: true }), (unixMs) => {
        const written = formatTimestamp(unixMs);
        expect(written).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
        expect(Date.parse(`${written.slice(0, 23)}Z`)).toBe(Math.floor(unixMs));
      }),
    );
  });

  test("a logger masks message, fields and the names of fields, and writes one line an event", () => {
    const lines: string[] = [];
    const log = createLogger({
      write: (line) => lines.push(line),
      now: () => 0,
      component: "engine",
      redact: (value) => value.replaceAll("hunter2", "***"),
    });
    log.info("job.run", "got hunter2\n", { err: new Error("hunter2!"), hunter2: { deep: ["hunter2"] } });
    log.warn("job.run", "w");
    log.error("job.run", "e");
    expect(lines).toHaveLength(3);
    expect(lines.join("")).not.toContain("hunter2");
    expect(lines.map((line) => parseStrictly(line.trimEnd()).get("level"))).toEqual(["info", "warn", "error"]);
    expect(parseStrictly((lines[0] ?? "").trimEnd()).get("msg")).toBe("got ***\n");
  });
});
