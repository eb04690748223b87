import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

function split(chunks: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.flush();
  return lines;
}

test("lines are the same wherever the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), fc.array(fc.nat(200)), (texts, cuts) => {
      const bytes = Buffer.from(texts.join("\n").toWellFormed());
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(split(chunks)).toEqual(split([bytes]));
      expect(split(chunks).join("\n")).toBe(
        bytes
          .toString()
          .replace(/\n$/, "")
          .replace(/^\uFEFF/, ""),
      );
    }),
  );
});

test("a line without an end is passed on in pieces, so that it does not fill the memory", () => {
  const lines = split([Buffer.from("x".repeat(200_000))]);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.join("")).toBe("x".repeat(200_000));
});
