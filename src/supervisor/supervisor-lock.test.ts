import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { supervisorFolder } from "./supervisor-folder.ts";
import { holdSupervisorLock } from "./supervisor-lock.ts";

const root = mkdtempSync(join(tmpdir(), "windlass-lock-"));
let count = 0;
const folder = (): string => supervisorFolder(join(root, String(count++), "windlass.db"));
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("who has it is named, as far as that is known", () => {
  const place = folder();
  using _ = holdSupervisorLock(place);
  const refused = (details: object) => expect.objectContaining({ code: "SUPERVISOR_RUNNING", details }) as Error;
  expect(() => holdSupervisorLock(place)).toThrow(refused({ pid: process.pid }));
  writeFileSync(join(place, "lock.pid"), "nobody\n");
  expect(() => holdSupervisorLock(place)).toThrow(refused({}));
});

test("given back twice it is given back once", () => {
  const place = folder();
  const first = holdSupervisorLock(place);
  first[Symbol.dispose]();
  using _ = holdSupervisorLock(place);
  first[Symbol.dispose]();
  expect(() => holdSupervisorLock(place)).toThrow();
});

test("what the last holder left in the place of its number holds nothing up", () => {
  const place = folder();
  writeFileSync(join(place, "lock.pid"), "1\n");
  holdSupervisorLock(place)[Symbol.dispose]();
});

test("a file that is no lock is named, with what to do", () => {
  const place = folder();
  writeFileSync(join(place, "lock.db"), "no database at all ".repeat(100));
  expect(() => holdSupervisorLock(place)).toThrow(
    expect.objectContaining({
      code: "DATABASE_UNWRITABLE",
      message: expect.stringContaining("remove the file"),
    }) as Error,
  );
});

test("a place that cannot be a folder is named", () => {
  writeFileSync(join(supervisorFolder(join(root, "x.db")), "..", "file"), "");
  expect(() => supervisorFolder(join(root, "file", "windlass.db"))).toThrow(
    expect.objectContaining({ code: "DATABASE_UNWRITABLE" }) as Error,
  );
});
