import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cutOutput, tailOf } from "./output-file.ts";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "output-"));
  file = join(folder, "out.txt");
});
afterEach(() => rm(folder, { recursive: true }));

const MARK = "\n[windlass: cut after 10 bytes]\n";
const text = (): Promise<string> => readFile(file, "utf8");

test("a file up to its limit is left alone", async () => {
  await writeFile(file, "0123456789");
  expect(await cutOutput(file, 10)).toBe(0);
  expect(await text()).toBe("0123456789");
});

test("a file beyond its limit keeps its beginning and a mark, again after more was appended, and counts what it lost", async () => {
  await writeFile(file, "0123456789abc");
  expect(await cutOutput(file, 10)).toBe(3);
  expect(await text()).toBe(`0123456789${MARK}`);
  expect(await cutOutput(file, 10)).toBe(0);
  await appendFile(file, "x".repeat(1_000));
  expect(await cutOutput(file, 10)).toBe(1_000);
  expect(await text()).toBe(`0123456789${MARK}`);
});

test("a tail is whole lines where they fit, and never begins inside a character", async () => {
  await writeFile(file, "");
  expect(await tailOf(file, { linesMax: 2, bytesMax: 100 })).toBe("");
  await writeFile(file, "one\ntwo\nthree\n");
  expect(await tailOf(file, { linesMax: 2, bytesMax: 100 })).toBe("two\nthree");
  expect(await tailOf(file, { linesMax: 2, bytesMax: 4 })).toBe("ree");
  await writeFile(file, "aé€😀");
  expect(await tailOf(file, { linesMax: 2, bytesMax: 3 })).toBe("");
  expect(await tailOf(file, { linesMax: 2, bytesMax: 6 })).toBe("😀");
  expect(await tailOf(file, { linesMax: 2, bytesMax: 8 })).toBe("€😀");
});
