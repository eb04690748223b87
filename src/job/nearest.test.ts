import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const KNOWN = ["exec", "http.request", "windows.exec", "app.send-mail", "type", "bash"];

describe("the nearest known names", () => {
  test.each([
    ["exce", ["exec"]],
    ["http.requset", ["http.request"]],
    ["send-mail", ["app.send-mail"]],
    ["app.", ["app.send-mail"]],
    ["something.else", []],
    ["tpye", ["type"]],
    ["ytpe", ["type"]],
    ["tyep", ["type"]],
    ["bsh", ["bash"]],
    ["nope", []],
    ["tcsh", []],
    ["x", []],
  ])("of %s are %j", (name, expected) => {
    expect(nearest(name, KNOWN, 3)).toEqual(expected);
  });

  test("a name that is known is the first, and no name comes twice or uninvited", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 12 }), { maxLength: 8 }),
        fc.string({ maxLength: 12 }),
        (known, name) => {
          const found = nearest(name, [...known, ...known], 3);
          expect(found.length).toBeLessThanOrEqual(3);
          expect(new Set(found).size).toBe(found.length);
          for (const each of found) expect(known).toContain(each);
          if (known.includes(name)) expect(found[0]).toBe(name);
        },
      ),
    );
  });
});
