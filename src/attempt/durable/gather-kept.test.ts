import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { AttemptFolder, attemptPath } from "../../artifact/attempt-folder.ts";
import type { RecordedFile } from "../../job/durable/outcome.ts";
import { gatherKept } from "./gather-kept.ts";
import type { Edge } from "./turn.ts";

const JOB = "01a1fe63-a360-7000-95ff-e9c1782e6e5c";
const STEP = `${attemptPath(JOB, 1, 1)}-steps/1`;
let base: string;
let root: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "gather-"));
  root = join(base, "home", "artifacts");
  onTestFinished(() => rmSync(base, { recursive: true }));
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function gather(...kept: readonly Pick<RecordedFile, "folder" | "path">[]): string {
  const folder = new AttemptFolder(root, attemptPath(JOB, 1, 1), true);
  const files = kept.map((file) => ({ sha256: "", bytes: 0, ...file }));
  gatherKept({
    durable: { keptFiles: () => files },
    services: { artifactRoot: root },
    folder,
    request: { jobId: JOB },
  } as unknown as Edge);
  return join(root, folder.path);
}

test("what steps kept comes into the folder of the run, the last one of each path", () => {
  write(join(root, STEP, "a.txt"), "old");
  write(join(root, `${STEP}b`, "a.txt"), "new");
  const folder = gather({ folder: STEP, path: "a.txt" }, { folder: `${STEP}b`, path: "a.txt" });
  expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("new");
});

test("a record that was written by hand takes nothing from elsewhere and puts nothing there", () => {
  write(join(base, "home", "key"), "secret");
  write(join(base, "evil", "home", "rc"), "evil");
  // From the agent's folder to the worker's home, by the same path below two folders.
  const climbs = "../../../../../home/rc";
  const folder = gather(
    { folder: "..", path: "key" },
    { folder: `${JOB}/../..`, path: "key" },
    { folder: "../../evil/a/b/c/d/e", path: climbs },
    { folder: STEP, path: join(base, "home", "key") },
  );
  expect(existsSync(join(folder, "key"))).toBe(false);
  expect(existsSync(join(base, "home", "rc"))).toBe(false);
});
