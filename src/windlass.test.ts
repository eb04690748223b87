import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { type Flags, loadConfig } from "./config/load.ts";
import { defineJob } from "./job/definition.ts";
import { composeWindlass } from "./windlass.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "windlass-composition-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const configFor = async (flags: Flags = {}) =>
  (await loadConfig({ env: {}, cwd: folder, home: folder, flags: { "database.path": join(folder, "w.db"), ...flags } }))
    .config;

test("a policy file that this version cannot read stops every writer before the database is made", async () => {
  writeFileSync(join(folder, "windlass.policy.yaml"), "version: 1\nrules: []\n");
  const opened = composeWindlass({ config: await configFor(), mode: "migrate", types: [], environment: {} });
  await expect(opened).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("windlass.policy.yaml"),
  });
  expect(existsSync(join(folder, "w.db"))).toBe(false);
});

test("a backend that is not built in is refused by its name", async () => {
  const opened = composeWindlass({
    config: await configFor({ backend: "hatchet" }),
    mode: "migrate",
    types: [],
    environment: {},
  });
  await expect(opened).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining("hatchet") });
});

test("two job types of one name are refused, a built-in one's name too", async () => {
  const own = defineJob({ name: "exec", input: z.strictObject({}) });
  const opened = composeWindlass({ config: await configFor(), mode: "migrate", types: [own], environment: {} });
  await expect(opened).rejects.toMatchObject({ code: "INVALID_DEFINITION", message: expect.stringContaining("exec") });
});
