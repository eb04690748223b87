import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRedactor } from "../redact.ts";
import { OutputFollower } from "./output-follower.ts";

const FILES = [
  { stream: "stdout", path: "out.txt" },
  { stream: "stderr", path: "err.txt" },
] as const;

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "windlass-follow-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function folder(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

/** A follower, what it passed on, and a wait for a number of bytes of it. */
function follow(secret?: string) {
  const got = { stdout: "", stderr: "", log: "" };
  const waiting: (() => void)[] = [];
  const redactor = createRedactor();
  if (secret !== undefined) redactor.add(secret);
  const follower = new OutputFollower({
    files: FILES,
    redactor: secret === undefined ? undefined : redactor,
    write: async (stream, bytes) => {
      got[stream] += Buffer.from(bytes).toString("latin1");
      for (const look of waiting) look();
    },
  });
  const seen = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (got.stdout.includes(text)) resolve();
      };
      waiting.push(look);
      look();
    });
  return { follower, got, seen };
}

describe("output is passed on, every byte once", () => {
  test("while it comes, also from a file that is made later, and to its end", async () => {
    const path = folder("a");
    const { follower, got, seen } = follow();
    await follower.attach(path);
    writeFileSync(join(path, "out.txt"), "one\n");
    await seen("one\n");
    appendFileSync(join(path, "out.txt"), Buffer.from([0xff, 0x00, 0x0a]));
    writeFileSync(join(path, "err.txt"), "late");
    await follower.finish([]);
    expect(got).toEqual({ stdout: "one\n\u00ff\u0000\n", stderr: "late", log: "" });
  });

  test("from a file that was moved while it was open, and one that was moved before anybody saw it", async () => {
    const path = folder("a");
    const kept = folder("kept");
    const { follower, got, seen } = follow();
    await follower.attach(path);
    writeFileSync(join(path, "out.txt"), "one\n");
    await seen("one\n");
    appendFileSync(join(path, "out.txt"), "two\n");
    renameSync(join(path, "out.txt"), join(kept, "out.txt"));
    writeFileSync(join(kept, "err.txt"), "never seen at its first place");
    await follower.finish([kept]);
    expect(got).toEqual({ stdout: "one\ntwo\n", stderr: "never seen at its first place", log: "" });
  });

  test("from the files of one attempt after the other", async () => {
    const [first, second] = [folder("1"), folder("2")];
    const { follower, got } = follow();
    writeFileSync(join(first, "out.txt"), "first ");
    await follower.attach(first);
    await follower.attach(first);
    writeFileSync(join(second, "out.txt"), "second");
    await follower.attach(second);
    await follower.finish([]);
    expect(got.stdout).toBe("first second");
  });

  test("under many small writes and looks at any moment", async () => {
    const path = folder("a");
    const { follower, got } = follow();
    await follower.attach(path);
    const lines = Array.from({ length: 2_000 }, (_, index) => `${index}\n`);
    for (const [index, line] of lines.entries()) {
      appendFileSync(join(path, "out.txt"), line);
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await follower.finish([]);
    expect(got.stdout).toBe(lines.join(""));
  });

  test("and goes on behind the cut of a file that grew too long", async () => {
    const path = folder("a");
    const { follower, got, seen } = follow();
    await follower.attach(path);
    writeFileSync(join(path, "out.txt"), "0123456789");
    await seen("9");
    truncateSync(join(path, "out.txt"), 4);
    appendFileSync(join(path, "out.txt"), "");
    await follower.finish([]);
    expect(got.stdout).toBe("0123456789");
  });
});

test("secrets are masked, also across two looks", async () => {
  const path = folder("a");
  const { follower, got, seen } = follow("hunter2hunter2");
  await follower.attach(path);
  writeFileSync(join(path, "out.txt"), "before hunter2");
  await seen("before ");
  appendFileSync(join(path, "out.txt"), "hunter2 after");
  await follower.finish([]);
  expect(got.stdout).toBe("before *** after");
});

test("a link in the place of the output is not followed", async () => {
  const path = folder("a");
  writeFileSync(join(root, "elsewhere"), "not for you");
  symlinkSync(join(root, "elsewhere"), join(path, "out.txt"));
  const { follower, got } = follow();
  await follower.attach(path);
  await follower.finish([]);
  expect(got.stdout).toBe("");
});
