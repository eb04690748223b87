import { describe, expect, test } from "vitest";
import { heldAt } from "./held-at.ts";

/** What is held at the mark `@` of a source. */
function held(source: string): readonly string[] {
  const before = source.slice(0, source.indexOf("@"));
  const line = before.split("\n").length;
  return heldAt(source.replace("@", ""), line, before.length - before.lastIndexOf("\n")).map(
    (each) => `${each.what} ${each.line}`,
  );
}

describe("what is held", () => {
  test.each([
    ["a declaration before it", "async () => {\n  await using a = await open();\n  @wait();\n}", ["await using 2"]],
    ["one that is not awaited", "async () => {\n  using a = lock();\n  @wait();\n}", ["using 2"]],
    [
      "in an outer block",
      "async () => { await using a = b();\n  for (const x of y) { if (x) { @wait(); } }\n}",
      ["await using 1"],
    ],
    ["a finally", "async () => {\n  try { @wait(); } finally { free(); }\n}", ["finally 2"]],
    [
      "a finally after a catch",
      "async () => { try { @wait(); } catch (e) { no({}); } finally { free(); } }",
      ["finally 1"],
    ],
    ["a catch before a finally", "async () => { try { a(); } catch { @wait(); } finally { free(); } }", ["finally 1"]],
    [
      "several",
      "async () => {\n using a = b();\n try {\n  using c = d();\n  @wait();\n } finally {}\n}",
      ["using 4", "finally 6", "using 2"],
    ],
    [
      "after texts that look otherwise",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of one
      "async () => {\n const t = `a } ${b ? `}` : '{'} \\` }`; // }\n const r = /[}/]\\}/u.test(t) / 2; using a = b; @w();\n}",
      ["using 3"],
    ],
  ])("%s", (_, source, expected) => expect(held(source)).toEqual(expected));
});

describe("what is not held", () => {
  test.each([
    ["a declaration after it", "async () => { @wait(); await using a = b(); }"],
    ["one of a block that is over", "async () => { { await using a = b(); } @wait(); }"],
    ["a catch alone", "async () => { try { @wait(); } catch { no(); } }"],
    ["what a finally does", "async () => { try { a(); } finally { @wait(); } }"],
    ["a function within", "async () => { await using a = b(); step(async () => { @wait(); }); }"],
    [
      "a method with a return type",
      "{ using a = b(); class C { async m(x: { y: string }): Promise<Map<string, 'a' | { b: 1 }>> { @wait(); } } }",
    ],
    ["a function with a type guard", "{ using a = b(); function f(x): x is string { @wait(); } }"],
    ["other words of that name", "async () => { const using = 1; a.using(b); f(using); @wait(); }"],
    ["a variable of that name in a loop", "async () => { for (const x of using) { @wait(); } }"],
  ])("%s", (_, source) => expect(held(source)).toEqual([]));
});
