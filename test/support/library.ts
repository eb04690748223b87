import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, expect } from "vitest";
import type { Flags } from "../../src/config/load.ts";
import { type OpenOptions, openWindlass, type WindlassClient } from "../../src/index.ts";
import type { TestBackend } from "./test.ts";

/** Short, so that no test waits long. */
const CONFIG: Flags = { "worker.tick": "50ms", "worker.kill_grace": "100ms", "job.retry_backoff": "1s" };

/** Where the records of a test are, in its folder. */
interface Records {
  readonly config: Flags;
  readonly db?: string;
  /** Looks at them when nobody has them open. */
  readonly check: () => void;
}

/** What a test of the library has. All clients are closed at its end, and then the records are checked. */
interface Fixture {
  /** Its own, gone at its end. */
  readonly folder: string;
  /** How a client is opened here, as plain data for another process. The config file is empty. */
  readonly sources: { readonly config: Flags; readonly configFile: string; readonly db?: string };
  /** Opens a client on the records of this test. */
  readonly open: (options?: OpenOptions) => Promise<WindlassClient>;
}

/** A test of the library on a backend. */
export function libraryTestOn(target: TestBackend) {
  return libraryTest((folder) => {
    const records = join(folder, "records");
    mkdirSync(records);
    return {
      config: { "artifacts.out_dir": join(records, "artifacts"), ...target.flags(records) },
      check: () => expect(target.check(records)).toEqual([]),
    };
  });
}

/** A test of what only the embedded backend has, with the path of its file, which does not exist yet. */
export const test = libraryTest((folder) => ({
  config: {},
  db: join(folder, "windlass.db"),
  check: () => undefined,
})).extend<{ db: string }>({
  db: async ({ sources }, use) => use(sources.db ?? ""),
});

function libraryTest(recordsIn: (folder: string) => Records) {
  return base.extend<Fixture & { records: Records }>({
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
    folder: async ({}, use) => {
      const folder = mkdtempSync(join(tmpdir(), "windlass-library-"));
      await use(folder);
      rmSync(folder, { recursive: true, force: true });
    },
    records: async ({ folder }, use) => use(recordsIn(folder)),
    sources: async ({ folder, records }, use) => {
      const { db } = records;
      // Named, so that no config file of whoever runs the tests is read.
      const configFile = join(folder, "windlass.yaml");
      writeFileSync(configFile, "");
      await use({ config: { ...CONFIG, ...records.config }, configFile, ...(db === undefined ? {} : { db }) });
    },
    open: async ({ sources, records }, use) => {
      const clients: WindlassClient[] = [];
      await use(async ({ config, ...options } = {}) => {
        const client = await openWindlass({ ...sources, config: { ...sources.config, ...config }, ...options });
        clients.push(client);
        return client;
      });
      await Promise.all(clients.map((client) => client.close({ grace: 0 })));
      if (clients.length > 0) records.check();
    },
  });
}
