import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "./load.ts";
import { ROWS } from "./schema/schema.ts";
import { showConfig } from "./show.ts";

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "windlass-show-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("every setting is shown with its value and its origin", async () => {
  const cwd = makeFolder();
  const path = join(cwd, "c.yaml");
  writeFileSync(path, "worker: { lease: 90s, labels: { site: lab1 } }\nhosts: { lab1: { ssh_port: 22, aloha: {} } }");
  const flags = { "database.path": "/x/jobs.db", timeout: 1_000 };
  const env = { WIN_AUTOMATION_OUTPUT_TAIL_BYTES: "2048", WINDLASS_EXEC_ENV: "PATH,HOME" };
  const rows = showConfig(await loadConfig({ cwd, home: "/home/ann", env, configPath: path, flags }));
  expect(rows.slice(0, ROWS.length).map(({ key }) => key)).toEqual(ROWS.map(([key]) => key));
  for (const row of [
    { key: "backend", value: "embedded", origin: "default" },
    { key: "database.path", value: "/x/jobs.db", origin: "flag --db" },
    { key: "timeout", value: "1s", origin: "the call" },
    { key: "worker.lease", value: "1m30s", origin: `file ${path}` },
    { key: "worker.labels", value: "site=lab1", origin: `file ${path}` },
    { key: "output.tail_bytes", value: "2KiB", origin: "environment WIN_AUTOMATION_OUTPUT_TAIL_BYTES" },
    { key: "exec.env", value: "PATH,HOME", origin: "environment WINDLASS_EXEC_ENV" },
    { key: "job.queued_max", value: "", origin: "default" },
    { key: "hosts.lab1.ssh_port", value: "22", origin: `file ${path}` },
    { key: "hosts.lab1.ssh_user", value: "administrator", origin: "default" },
    { key: "hosts.lab1.aloha.server_url", value: "http://127.0.0.1:7887", origin: "default" },
    { key: "hosts.lab1.labels", value: "", origin: "default" },
  ]) {
    expect(rows).toContainEqual(row);
  }
  expect(rows.filter(({ key }) => key.startsWith("hosts.lab1.playwright"))).toEqual([]);
});

test("no secret is shown", async () => {
  const env = {
    WINDLASS_HATCHET_TOKEN: "hush-1",
    WINDLASS_PLAYWRIGHT_WS_PATH: "hush-2",
    WINDLASS_DB_PASSWORD: "hush-3",
    WINDLASS_HATCHET_POSTGRES_PASSWORD: "hush-4",
    WINDLASS_HATCHET_DATABASE_URL: "postgres://w:hush-5@db/windlass?sslmode=require&password=hush-6",
    WINDLASS_HATCHET_HTTP_URL: "http://u:hush@7@h",
    WINDLASS_ACTOR: "agent:ops@example.com",
  };
  const rows = showConfig(await loadConfig({ cwd: makeFolder(), home: "/home/ann", env }));
  const value = (key: string) => rows.find((row) => row.key === key)?.value;
  expect(JSON.stringify(rows)).not.toContain("hush");
  expect(value("hatchet.api_token")).toBe("***");
  expect(value("hatchet.database_url")).toBe("postgres://w:***@db/windlass?sslmode=require&password=***");
  expect(value("actor")).toBe("agent:ops@example.com");
});
