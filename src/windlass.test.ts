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

test.each(["migrate", "write", "read"] as const)(
  "a wrong policy stops who opens to %s before a file is made",
  async (mode) => {
    writeFileSync(join(folder, "windlass.policy.yaml"), "version: 1\nrules:\n  - { name: all, alow: true }\n");
    const opened = composeWindlass({ config: await configFor(), mode, types: [], environment: {} });
    await expect(opened).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringMatching(
        /windlass\.policy\.yaml line 3: rules\[0\]\.alow is no field; did you mean allow\?/,
      ),
    });
    expect(existsSync(join(folder, "w.db"))).toBe(false);
  },
);

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
