import { describe, expect, test } from "vitest";
import { defaultLines, renderJson, renderLines } from "./render.ts";
import { neutralise, type Terminal } from "./terminal.ts";

const terminal = (more: Partial<Terminal> = {}): Terminal => ({
  isPerson: false,
  hasColour: false,
  columns: 80,
  logsToPerson: false,
  out: () => undefined,
  error: () => undefined,
  write: async () => undefined,
  closed: new AbortController().signal,
  ...more,
});
const person = terminal({ isPerson: true });
const ESCAPE = "\u001b[31mred\u001b]0;title\u0007";

describe("lines", () => {
  test("a pipe gets key=value, a line each, quoted by the one rule", () => {
    const lines = [
      { job_id: "a", state: "queued", none: undefined },
      { text: `a b\n"c" = ü ${ESCAPE}`, list: [1] },
      { cursor: "" },
    ];
    expect(renderLines(lines, terminal())).toBe(
      'job_id=a state=queued\ntext="a b\\n\\"c\\" = \\u00fc \\u001b[31mred\\u001b]0;title\\u0007" list=[1]\ncursor=""\n',
    );
    expect(renderLines([], terminal())).toBe("");
  });

  test("a person gets a record, or a table in which another kind of line stands apart", () => {
    expect(renderLines([{ job_id: "a", state: "queued" }], person)).toBe("job_id  a\nstate   queued\n");
    const lines = [{ name: "a", n: 1 }, { name: "bbb", n: 22, extra: "x" }, { cursor: "c" }];
    expect(renderLines(lines, person)).toBe("name  n   extra\na     1\nbbb   22  x\ncursor  c\n");
    expect(renderLines([], person)).toBe("(none)\n");
  });

  test("colour goes around what is padded, and only where it is seen", () => {
    const seeing = terminal({ isPerson: true, hasColour: true });
    const lines = [
      { state: "failed", type: "a" },
      { state: "completed", type: "b" },
    ];
    expect(renderLines(lines, seeing)).toBe(
      "\u001b[2mstate      type\u001b[0m\n\u001b[31mfailed   \u001b[0m  a\n\u001b[32mcompleted\u001b[0m  b\n",
    );
  });

  test("escapes from a job do nothing on a terminal", () => {
    for (const text of [
      renderLines([{ text: ESCAPE }], person),
      renderLines([{ text: ESCAPE }, { text: "b" }], person),
    ]) {
      expect(text).not.toContain("\u001b");
      expect(text).toContain("\\u001b[31mred\\u001b]0;title\\u0007");
    }
  });

  test("an answer without lines of its own is one line of all that is not null", () => {
    expect(defaultLines({ a: 1, b: null, c: "x" })).toEqual([{ a: 1, c: "x" }]);
    expect(defaultLines(5)).toEqual([{ value: 5 }]);
  });
});

describe("JSON", () => {
  test("is one value on one line, indented for a person", () => {
    expect(renderJson({ a: [1, null], b: "ü\n" }, terminal())).toBe('{"a":[1,null],"b":"ü\\n"}\n');
    expect(renderJson({ a: 1 }, person)).toBe('{\n  "a": 1\n}\n');
    expect(renderJson(undefined, terminal())).toBe("null\n");
  });

  test("holds no control that a terminal obeys, and stays the same value", () => {
    const value = { text: `\u009b31m\u007f\u202e${ESCAPE}` };
    const text = renderJson(value, person);
    for (const unit of ["\u009b", "\u007f", "\u001b", "\u202e"]) expect(text).not.toContain(unit);
    expect(JSON.parse(text)).toEqual(value);
  });
});

test("tabs, line ends and ordinary characters of any script pass a terminal", () => {
  const text = "a\tb\nüß漢字 🙂";
  expect(neutralise(text)).toBe(text);
  expect(neutralise("\r\b\u0085\u2066")).toBe("\\u000d\\u0008\\u0085\\u2066");
});
