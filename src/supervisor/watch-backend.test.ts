import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect } from "vitest";
import { systemClock } from "../clock.ts";
import type { Flags } from "../config/load.ts";
import { loadConfig } from "../config/load.ts";
import { openDatabase } from "../database/open.ts";
import { watchBackend } from "./watch-backend.ts";

const test = base.extend<{ folder: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "windlass-backend-"));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
});

async function backendOf(folder: string, flags: Flags = {}) {
  const path = join(folder, "windlass.db");
  const loaded = await loadConfig({ env: {}, flags: { "database.path": path, ...flags }, cwd: folder, home: folder });
  return { path, watched: watchBackend({ config: loaded.config, clock: systemClock }) };
}

const options = { signal: new AbortController().signal };

test("a database that is not there yet is no failure", async ({ folder }) => {
  const { watched } = await backendOf(folder);
  expect(watched.notConfigured).toMatch(/^there is no database yet at /);
});

test("a database that can be read is good, a damaged one is not", async ({ folder }) => {
  const { path } = await backendOf(folder);
  openDatabase(path, { mode: "migrate", nowMs: Date.now() }).close();
  const { watched } = await backendOf(folder);
  expect(watched.notConfigured).toBeUndefined();
  expect(await watched.probe(options)).toMatchObject({ isGood: true });
  writeFileSync(path, "no database at all ".repeat(500));
  await expect(watched.probe(options)).rejects.toMatchObject({ code: "DATABASE_FOREIGN" });
});

test("Hatchet is asked where it says that it is well: /ready, or the path that the setting has", async ({ folder }) => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.writeHead(url === "/ready" ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const flags = { backend: "hatchet", "hatchet.health_url": url };
    expect(await (await backendOf(folder, flags)).watched.probe(options)).toMatchObject({ isGood: true });
    const live = { ...flags, "hatchet.health_url": `${url}/live` };
    const finding = await (await backendOf(folder, live)).watched.probe(options);
    expect(finding).toEqual({ isGood: false, detail: `${url}/live answers 404` });
    expect(asked).toEqual(["/ready", "/live"]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
