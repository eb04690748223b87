import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeManifestFile } from "./manifest-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "manifest-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("the list beside the files says what the row says, is its owner's alone, and can be written again", () => {
  const files = [{ type: "text/plain", path: "ssh/stdout.txt", bytes: 5, sha256: "ab".repeat(32) }];
  const place = join(folder, "job");
  const facts = { jobId: "j-1", traceId: "t-1", atMs: Date.UTC(2026, 10, 21, 12), files };
  writeManifestFile(place, { ...facts, files: [] });
  writeManifestFile(place, facts);
  expect(JSON.parse(readFileSync(join(place, "manifest.json"), "utf8"))).toEqual({
    job_id: "j-1",
    trace_id: "t-1",
    created_at: "2026-11-21T12:00:00.000Z",
    artifacts: [{ type: "text/plain", path: "ssh/stdout.txt", size_bytes: 5, sha256: "ab".repeat(32) }],
  });
  expect(readdirSync(place)).toEqual(["manifest.json"]);
  expect(statSync(join(place, "manifest.json")).mode & 0o777).toBe(0o600);
});
