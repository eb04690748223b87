import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { holdLock, lockFile, lockNames } from "../database/liveness.ts";
import { openDatabase } from "../database/open.ts";
import { applyRepairs, planRepairs, type Repair } from "./fix.ts";

let folder = "";
let path = "";
let config: Config;
let nowMs = 0;
const clock: Clock = { ...systemClock, now: () => nowMs };
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fix-"));
  path = join(folder, "w.db");
  openDatabase(path, { mode: "write", nowMs: 0 }).close();
  ({ config } = await loadConfig({ env: {}, cwd: folder, home: folder, flags: { "database.path": path } }));
  nowMs = Date.now();
});
afterEach(() => rmSync(folder, { recursive: true }));

const plans = (): string[] => planRepairs(config, clock).map(({ plan }) => plan);
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

test("there is nothing to mend where nothing is wrong", () => {
  expect(plans()).toEqual([]);
});

test("rights of others are taken away, and nothing else is", () => {
  writeFileSync(`${path}.before-1`, "", { mode: 0o644 });
  chmodSync(path, 0o666);
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, "w.dbx"), "", { mode: 0o644 });
  mkdirSync(join(folder, "artifacts", "job"), { recursive: true, mode: 0o755 });
  expect(plans()).toEqual([
    `change the rights of ${path} from 666 to 600`,
    `change the rights of ${path}.before-1 from 644 to 600`,
    `change the rights of ${join(folder, "artifacts", "job")} from 755 to 700`,
    `change the rights of ${folder} from 777 to 755`,
  ]);
  // Planning does nothing.
  expect(modeOf(path)).toBe("666");
  expect(applyRepairs(planRepairs(config, clock)).map(({ error }) => error)).toEqual([null, null, null, null]);
  expect([modeOf(path), modeOf(`${path}.before-1`), modeOf(folder)]).toEqual(["600", "600", "755"]);
  expect([modeOf(join(folder, "w.dbx")), modeOf(join(folder, "artifacts"))]).toEqual(["644", "755"]);
  expect(plans()).toEqual([]);
});

test("lock files of the dead go; those of the living, and of a worker that is just starting, stay", () => {
  using _live = holdLock(path, "live");
  for (const uuid of ["dead", "starting"]) writeFileSync(lockFile(path, uuid), "", { mode: 0o600 });
  const long = (nowMs - 120_000) / 1_000;
  for (const uuid of ["live", "dead"]) utimesSync(lockFile(path, uuid), long, long);
  expect(plans()).toEqual([`remove the lock file of a worker that is gone, ${lockFile(path, "dead")}`]);
  applyRepairs(planRepairs(config, clock));
  expect(lockNames(path).sort()).toEqual(["live", "starting"]);
});

test("what killed commands left goes after a day", () => {
  const left = `${path}.before-1.partial-4711`;
  const young = `${path}.restoring-4712`;
  const other = join(folder, "notes.partial-1");
  for (const file of [left, young, other]) writeFileSync(file, "", { mode: 0o600 });
  const long = (nowMs - 25 * 3_600_000) / 1_000;
  for (const file of [left, other]) utimesSync(file, long, long);
  expect(plans()).toEqual([`remove what a killed command left, ${left}`]);
  applyRepairs(planRepairs(config, clock));
  expect([existsSync(left), existsSync(young), existsSync(other)]).toEqual([false, true, true]);
});

test("a repair that fails is said, and the next one is made", () => {
  const made: string[] = [];
  const repairs: Repair[] = [
    { plan: "break", apply: () => chmodSync(join(folder, "none"), 0o600) },
    { plan: "make", apply: () => void made.push("made") },
  ];
  const [broken, done] = applyRepairs(repairs);
  expect(broken?.error).toContain("INTERNAL: ENOENT");
  expect([done, made]).toEqual([{ plan: "make", error: null }, ["made"]]);
});
