import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CliFolder, pairsOf } from "../../../test/support/cli.ts";
import { brokenInvariants } from "../../../test/support/invariants.ts";
import { until } from "../../../test/support/until.ts";
import { ownMigrations, schemaVersion } from "../../database/migrate.ts";

const NEWEST = schemaVersion(ownMigrations());

let folder: CliFolder;
beforeEach(() => {
  folder = new CliFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

const database = (): string => join(folder.path, ".windlass/windlass.db");

async function enqueue(script: string, ...more: readonly string[]): Promise<string> {
  const input = JSON.stringify({ argv: ["sh", "-c", script] });
  const { value } = await folder.json<{ job_id: string }>([
    ...["jobs", "enqueue", "--type", "exec", "--input-json", input],
    ...more,
  ]);
  return value.job_id;
}

const stateOf = async (id: string): Promise<unknown> =>
  (await folder.json<{ state: string }>(["jobs", "status", id])).value.state;

test("a backup that was taken while a job ran is put back, and the job is decided over by its crash rule", async () => {
  const worker = await folder.worker();
  const started = join(folder.path, "started");
  const interrupted = await enqueue(`echo x >> ${started}; sleep 60`, "--after-crash", "stop");
  await until(() => (existsSync(started) ? true : undefined), { what: "the start of the job" });
  const taken = await folder.json(["db", "backup", "copy.db"]);
  expect(taken).toMatchObject({ status: 0, value: { path: join(folder.path, "copy.db"), schema: NEWEST } });
  expect(statSync(join(folder.path, "copy.db")).mode & 0o777).toBe(0o600);

  const refused = await folder.json<{ code: string; error: string }>(["db", "restore", "copy.db"]);
  expect(refused).toMatchObject({ status: 2, value: { code: "DATABASE_IN_USE" } });
  expect(refused.value.error).toMatch(/while workers run on it: pid \d+ on /);

  await folder.call(["jobs", "cancel", interrupted]);
  worker.kill("SIGKILL");
  await worker.ended;
  const later = await enqueue("true");
  const restored = await folder.json<{ replaced: string }>(["db", "restore", "copy.db"]);
  expect(restored).toMatchObject({ status: 0, value: { path: database(), leases: 1 } });
  expect(existsSync(restored.value.replaced)).toBe(true);
  expect(await stateOf(later)).toBe("not_found");
  expect(await stateOf(interrupted)).toBe("running");

  const next = await folder.worker();
  const ended = await folder.json(["jobs", "wait", interrupted, "--wait", "20s"]);
  expect(ended.stdout).toContain(interrupted);
  expect(await stateOf(interrupted)).not.toBe("running");
  expect(readFileSync(started, "utf8")).toBe("x\n");
  next.kill("SIGTERM");
  expect((await next.ended).status).toBe(0);
  expect(brokenInvariants(database())).toEqual([]);
  expect(await folder.json(["db", "check"])).toMatchObject({ status: 0, value: { state: "ok", findings: [] } });
});

test("a damaged database is found, what can be read of it is saved, and a backup takes its place", async () => {
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.push(await enqueue(`echo ${n}`));
  await folder.call(["db", "backup", "copy.db"]);
  const bytes = readFileSync(database());
  const page = bytes.lastIndexOf('{"input"');
  writeFileSync(database(), bytes.fill(0xff, page - (page % 4096), page - (page % 4096) + 8));
  const check = await folder.call(["db", "check", "--salvage", "saved.ndjson"]);
  expect(check.status).toBe(1);
  expect(check.stdout).toContain("where=file");
  expect(check.stdout).toMatch(/saved=job rows=\d+ lost_pages=1/);
  const records = readFileSync(join(folder.path, "saved.ndjson"), "utf8").trimEnd().split("\n");
  const kinds = records.map((line) => (JSON.parse(line) as { record: string }).record);
  expect(new Set(kinds)).toContain("ready");
  expect((await folder.call(["doctor"])).status).toBe(1);

  expect((await folder.call(["db", "restore", "copy.db"])).status).toBe(0);
  expect((await folder.call(["db", "check"])).status).toBe(0);
  expect(await Promise.all(ids.map(stateOf))).toEqual(["queued", "queued", "queued"]);
});

test("the shell answers from its words and from standard input, and changes nothing", async () => {
  const id = await enqueue("true");
  const one = await folder.call(["db", "shell", "SELECT job_id(id) AS id, 1 AS one FROM job"]);
  expect(one).toMatchObject({ status: 0, stdout: `id=${id} one=1\n` });
  const piped = await folder.call(["db", "shell"], { stdin: "SELECT count(*) AS jobs FROM job\n\nSELECT 2 AS two\n" });
  expect(piped).toMatchObject({ status: 0, stdout: "jobs=1\ntwo=2\n" });
  const json = await folder.json(["db", "shell", "SELECT id FROM queue", "--limit", "1"]);
  expect(json.value).toEqual({ results: [{ rows: [{ id: 1 }], truncated: false }] });
  const writing = await folder.call(["db", "shell"], { stdin: "DELETE FROM job\nSELECT 1 AS one\n" });
  expect(writing).toMatchObject({ status: 2, stdout: "" });
  expect(await stateOf(id)).toBe("queued");
});

test("migrating says what it found", async () => {
  expect((await folder.json(["db", "migrate"])).value).toEqual({
    ...{ path: database(), state: "created", from: null, to: NEWEST, copy: null },
  });
  expect((await folder.json(["db", "migrate"])).value).toMatchObject({ state: "current", from: NEWEST });
});

test("bad input is refused with its code", async () => {
  const codeOf = async (...args: readonly string[]): Promise<unknown> => {
    const { status, value } = await folder.json<{ code: string }>(["db", ...args]);
    return [status, value.code];
  };
  expect(await codeOf("backup", "copy.db")).toEqual([2, "DATABASE_MISSING"]);
  expect(await codeOf("check")).toEqual([2, "DATABASE_MISSING"]);
  await folder.call(["db", "migrate"]);
  folder.write("there.db", "precious");
  expect(await codeOf("backup", "there.db")).toEqual([2, "DATABASE_EXISTS"]);
  expect(await codeOf("backup", "no/folder/copy.db")).toEqual([2, "DATABASE_UNWRITABLE"]);
  expect(await codeOf("restore", "there.db")).toEqual([2, "DATABASE_FOREIGN"]);
  expect(await codeOf("check", "--salvage", "there.db")).toEqual([2, "DATABASE_EXISTS"]);
  expect(await codeOf("shell", "SELEC 1")).toEqual([2, "USAGE"]);
  expect(pairsOf((await folder.call(["db", "check", "--quick"])).stdout)).toMatchObject({ state: "ok" });
});
