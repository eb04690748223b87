import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CliFolder } from "../../test/support/cli.ts";

let folder: CliFolder;
beforeEach(() => {
  folder = new CliFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());

interface Doctor {
  readonly state: string;
  readonly plan: readonly string[];
  readonly repairs: readonly { readonly plan: string; readonly error: string | null }[];
  readonly checks: readonly { readonly name: string; readonly state: string; readonly remedy: string | null }[];
}

const database = (): string => join(folder.path, ".windlass/windlass.db");
const doctor = (...flags: readonly string[]) => folder.json<Doctor>(["doctor", ...flags]);

test("it works where there is no database, makes none, and is strict when it is asked to be", async () => {
  const { status, stdout } = await folder.call(["doctor"]);
  expect(status).toBe(0);
  expect(stdout).toContain("check=database state=not_configured");
  expect(stdout).toContain("\nhatchet_sdk_version=unknown\n");
  expect(readdirSync(join(folder.path, ".windlass"))).toEqual([]);
  expect(await doctor("--strict")).toMatchObject({ status: 1, value: { state: "fail", repairs: [] } });
});

test("it reads only: a worker may run, and no byte of the database changes", async () => {
  await folder.call(["db", "migrate"]);
  const before = readFileSync(database());
  expect((await doctor()).status).toBe(0);
  expect(readFileSync(database()).equals(before)).toBe(true);
  const worker = await folder.worker();
  const { status, value } = await doctor();
  expect([status, value.checks.find(({ name }) => name === "workers")?.state]).toEqual([0, "ok"]);
  worker.kill("SIGTERM");
  await worker.ended;
});

test("a failed check is exit 1, and what may be mended is mended when it is asked for", async () => {
  await folder.call(["db", "migrate"]);
  chmodSync(database(), 0o644);
  const found = await doctor();
  expect([found.status, found.value.state, found.value.repairs]).toEqual([1, "fail", []]);
  expect(statSync(database()).mode & 0o777).toBe(0o644);
  const { status, stdout } = await folder.call(["doctor", "--fix"]);
  const repair = `change the rights of ${database()} from 644 to 600`;
  expect(found.value.plan).toEqual([repair]);
  expect(status).toBe(0);
  const lines = stdout.split("\n");
  expect(lines[0]).toBe(`plan="${repair}"`);
  // What is done is said where it is done, after all of the plan.
  const done = lines.indexOf(`repair="${repair}" result=done`);
  expect(done).toBeGreaterThan(lines.findLastIndex((line) => line.startsWith("plan=")));
  expect(statSync(database()).mode & 0o777).toBe(0o600);
});

test("without a worker that serves them, waiting jobs are a warning with what to type", async () => {
  await folder.call(["jobs", "enqueue", "--type", "exec", "--input-json", '{"argv":["true"]}']);
  const { status, stdout } = await folder.call(["doctor"]);
  expect(status).toBe(0);
  expect(stdout).toContain(
    'check=unserved_jobs state=warn detail="no live worker serves exec (1 job)" remedy="`windlass worker`"',
  );
});
