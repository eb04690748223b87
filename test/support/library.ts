import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base } from "vitest";
import { type OpenOptions, openWindlass, type WindlassClient } from "../../src/index.ts";

/** Short, so that no test waits long. */
const CONFIG = { "worker.tick": "50ms", "worker.kill_grace": "100ms", "job.retry_backoff": "1s" };

/** A test with a folder of its own and clients of the library on the database in it; all are closed at its end. */
export const test = base.extend<{
  folder: string;
  db: string;
  open: (options?: OpenOptions) => Promise<WindlassClient>;
}>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), "windlass-library-"));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
  db: async ({ folder }, use) => use(join(folder, "windlass.db")),
  open: async ({ folder, db }, use) => {
    const clients: WindlassClient[] = [];
    // Named, so that no config file of whoever runs the tests is read.
    const configFile = join(folder, "windlass.yaml");
    writeFileSync(configFile, "");
    await use(async ({ config, ...options } = {}) => {
      const client = await openWindlass({ db, configFile, config: { ...CONFIG, ...config }, ...options });
      clients.push(client);
      return client;
    });
    await Promise.all(clients.map((client) => client.close({ grace: 0 })));
  },
});
