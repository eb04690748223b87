import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRedactor } from "../redact.ts";
import { AttemptFolder, attemptPath, isAttemptPath, keptPath } from "./attempt-folder.ts";
import { promote } from "./promotion.ts";

const JOB = "01a1fe63-a360-7000-95ff-e9c1782e6e5c";
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "windlass-artifact-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const sha256 = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

test("an attempt that keeps nothing makes no folder", async () => {
  const folder = new AttemptFolder(root, attemptPath(JOB, 1, 1));
  expect(await folder.seal()).toEqual([]);
  expect(existsSync(join(root, JOB))).toBe(false);
});

test("a kept file is its owner's alone, whole, and hashed", async () => {
  const folder = new AttemptFolder(root, attemptPath(JOB, 1, 1));
  const kept = await folder.keep("report/sum.json", '{"n":1}', 100);
  expect(kept).toEqual({ path: "report/sum.json", sha256: sha256('{"n":1}'), bytes: 7 });
  const path = join(root, folder.path, "report/sum.json");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(root, folder.path)).mode & 0o777).toBe(0o700);
  expect(await folder.seal()).toEqual([{ type: "application/json", ...kept }]);
});

test("keeping a path again replaces it; more than the limit is refused and leaves the old one", async () => {
  const folder = new AttemptFolder(root, attemptPath(JOB, 1, 1));
  await folder.keep("a.txt", "old", 100);
  await folder.keep("a.txt", "new", 100);
  await expect(folder.keep("a.txt", "x".repeat(101), 100)).rejects.toMatchObject({ code: "TOO_LARGE" });
  expect(readFileSync(join(root, folder.path, "a.txt"), "utf8")).toBe("new");
});

test("sealing masks secrets before it hashes, and follows no link", async () => {
  const folder = new AttemptFolder(root, attemptPath(JOB, 1, 1));
  await folder.keep("out.txt", "token=geheimnis;", 100);
  symlinkSync("/etc/passwd", join(root, folder.path, "passwd"));
  writeFileSync(join(root, folder.path, "exit_code.part"), "0");
  const redactor = createRedactor();
  redactor.add("geheimnis");
  const files = await folder.seal(redactor);
  expect(files.map(({ path }) => path)).toEqual(["out.txt"]);
  expect(readFileSync(join(root, folder.path, "out.txt"), "utf8")).toBe("token=***;");
  expect(files[0]?.sha256).toBe(sha256("token=***;"));
});

test("a promotion moves what the manifest lists; cut off anywhere, doing it again ends the same", async () => {
  for (const done of [0, 1, 2]) {
    const folder = new AttemptFolder(root, attemptPath(JOB, done + 1, 1));
    await folder.keep("exec/a.txt", "a", 100);
    await folder.keep("exec/b.txt", "b", 100);
    writeFileSync(join(root, folder.path, "exec/c.part"), "");
    const files = await folder.seal();
    const promotion = { root, from: folder.path, to: keptPath(JOB, done + 1), files };
    promote({ ...promotion, files: files.slice(0, done) });
    promote(promotion);
    promote(promotion);
    for (const name of ["a", "b"])
      expect(readFileSync(join(root, promotion.to, `exec/${name}.txt`), "utf8")).toBe(name);
    expect(existsSync(join(root, folder.path))).toBe(false);
  }
});

test("what is not in the manifest is left where it lies", async () => {
  const folder = new AttemptFolder(root, attemptPath(JOB, 1, 1));
  await folder.keep("a.txt", "a", 100);
  const files = await folder.seal();
  writeFileSync(join(root, folder.path, "late.txt"), "written by a zombie");
  promote({ root, from: folder.path, to: keptPath(JOB, 1), files });
  expect(existsSync(join(root, keptPath(JOB, 1), "late.txt"))).toBe(false);
  expect(existsSync(join(root, folder.path, "late.txt"))).toBe(true);
});

test.each([
  [attemptPath(JOB, 2, 1), true],
  [attemptPath(JOB, 2, 12), true],
  [attemptPath(JOB, 1, 1), false],
  [attemptPath("01a1fe63-a360-7000-95ff-e9c1782e6e5d", 2, 1), false],
  [`${attemptPath(JOB, 2, 1)}/..`, false],
  [`${attemptPath(JOB, 2, 1)}/../../../..`, false],
  [`${JOB}/.attempts/2-0`, false],
  ["../../home/somebody/.ssh", false],
  ["/etc", false],
  ["", false],
])("whether %s is the folder of an attempt of a run", (path, expected) => {
  expect(isAttemptPath(path, JOB, 2)).toBe(expected);
});

test("a manifest that was written by hand moves nothing from elsewhere", () => {
  writeFileSync(join(root, "key"), "secret");
  const file = { type: "text/plain", sha256: "", bytes: 6 };
  const files = ["../../../key", join(root, "key"), "a/../../../../key"].map((path) => ({ ...file, path }));
  promote({ root, from: attemptPath(JOB, 1, 1), to: keptPath(JOB, 1), files });
  expect(readFileSync(join(root, "key"), "utf8")).toBe("secret");
});
