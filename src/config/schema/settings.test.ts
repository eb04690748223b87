import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Config } from "../config.ts";
import { type LoadRequest, loadConfig } from "../load.ts";
import { environmentNamesOf, SETTINGS, type SettingKey } from "./schema.ts";
import { configErrorText, type Setting } from "./setting.ts";

interface Case {
  /** Where it stands, by the type; so type and value are held to each other. */
  readonly read: (config: Config) => unknown;
  readonly default: unknown;
  /** As a file says it. */
  readonly file: unknown;
  /** As the environment says it; default: as the file does. */
  readonly text?: string;
  readonly value: unknown;
  readonly refused: string;
  /** Why, exactly. */
  readonly why: string;
}

const HOUR = 3_600_000;
const DURATION = "must be a duration with a unit, such as 250ms, 10m or 1h30m, from";
const BYTES = "must be a number of bytes, such as 65536, 64KiB or 1GiB, from";
const URL_RULE = "an http(s) URL, such as http://127.0.0.1:7887";
const VARIABLES = "must be names of environment variables";

// biome-ignore format: one setting a line
const CASES: { readonly [Key in SettingKey]: Case } = {
  backend: { read: (c) => c.backend, default: "embedded", file: "hatchet", value: "hatchet", refused: "redis", why: 'must be one of embedded, hatchet, not "redis"' },
  "database.path": { read: (c) => c.database.path, default: "/home/ann/.local/state/windlass/windlass.db", file: "/x/jobs.db", value: "/x/jobs.db", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  jobs: { read: (c) => c.jobs, default: [], file: ["/x/a.ts", "/x/b.mjs"], text: "/x/a.ts, /x/b.mjs", value: ["/x/a.ts", "/x/b.mjs"], refused: "/x/a.py", why: 'must be files that end in .ts or .js, not "/x/a.py"' },
  policy: { read: (c) => c.policy, default: undefined, file: "/x/policy.yaml", value: "/x/policy.yaml", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  timeout: { read: (c) => c.timeoutMs, default: 10_000, file: "1m", value: 60_000, refused: "999ms", why: `${DURATION} 1s to 1h, not "999ms"` },
  "http.listen": { read: (c) => c.http.listen, default: "127.0.0.1:8080", file: "[::1]:0", value: "[::1]:0", refused: "8080", why: 'must be host:port with a port from 0 to 65535, not "8080"' },
  "retention.days": { read: (c) => c.retention.days, default: 7, file: 0, value: 0, refused: "-1", why: 'must be a whole number, 0 or more, not "-1"' },
  "retention.jobs": { read: (c) => c.retention.jobs, default: 100_000, file: 5, value: 5, refused: "1.5", why: 'must be a whole number, 0 or more, not "1.5"' },
  "artifacts.out_dir": { read: (c) => c.artifacts.outDir, default: "/home/ann/.local/state/windlass/artifacts", file: "~/kept", value: "/home/ann/kept", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  "artifacts.store": { read: (c) => c.artifacts.store, default: "folder", file: "s3://bucket/prefix/", value: "s3://bucket/prefix", refused: "ftp://x", why: 'must be folder or s3://bucket/prefix, not "ftp://x"' },
  "artifacts.s3_endpoint": { read: (c) => c.artifacts.s3Endpoint, default: "", file: "https://s3.lan/", value: "https://s3.lan", refused: "s3.lan", why: 'must be an http(s) URL, or "", such as http://127.0.0.1:7887, not "s3.lan"' },
  "artifacts.retention_days": { read: (c) => c.artifacts.retentionDays, default: 7, file: 30, value: 30, refused: "all", why: 'must be a whole number, 0 or more, not "all"' },
  "artifacts.mirror": { read: (c) => c.artifacts.mirror, default: false, file: true, value: true, refused: "yes", why: 'must be true or false, not "yes"' },
  actor: { read: (c) => c.actor, default: undefined, file: "agent:codex", value: "agent:codex", refused: "codex", why: 'must be kind:name, such as agent:codex, not "codex"' },
  metrics_path: { read: (c) => c.metricsPath, default: undefined, file: "/x/metrics.log", value: "/x/metrics.log", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  integration: { read: (c) => c.integration, default: false, file: "1", value: true, refused: "maybe", why: 'must be true or false, not "maybe"' },
  "worker.concurrency": { read: (c) => c.worker.concurrency, default: 5, file: 100, value: 100, refused: "0", why: 'must be a whole number, 1 to 100, not "0"' },
  "worker.labels": { read: (c) => c.worker.labels, default: {}, file: { site: "lab1", slots: 2 }, text: "site=lab1,slots=2", value: { site: "lab1", slots: "2" }, refused: "lab1", why: 'must be key=value pairs, not "lab1"' },
  "worker.grace": { read: (c) => c.worker.graceMs, default: 30_000, file: "1h", value: HOUR, refused: "1h1s", why: `${DURATION} 1s to 1h, not "1h1s"` },
  "worker.kill_grace": { read: (c) => c.worker.killGraceMs, default: 5_000, file: "0s", value: 0, refused: "6m", why: `${DURATION} 0s to 5m, not "6m"` },
  "worker.lease": { read: (c) => c.worker.leaseMs, default: 15_000, file: "5m", value: 300_000, refused: "500ms", why: `${DURATION} 1s to 5m, not "500ms"` },
  "worker.tick": { read: (c) => c.worker.tickMs, default: 250, file: "10ms", value: 10, refused: "11s", why: `${DURATION} 10ms to 10s, not "11s"` },
  "job.timeout": { read: (c) => c.job.timeoutMs, default: 600_000, file: "24h", value: 24 * HOUR, refused: "25h", why: `${DURATION} 1s to 24h, not "25h"` },
  "job.retry_max": { read: (c) => c.job.retryMax, default: 3, file: 10, value: 10, refused: "11", why: 'must be a whole number, 0 to 10, not "11"' },
  "job.retry_backoff": { read: (c) => c.job.retryBackoffMs, default: 5_000, file: "1s", value: 1_000, refused: "soon", why: `${DURATION} 1s to 1h, not "soon"` },
  "job.backoff_factor": { read: (c) => c.job.backoffFactor, default: 2, file: 1.5, value: 1.5, refused: "0.5", why: 'must be a number from 1 to 10, not "0.5"' },
  "job.backoff_cap": { read: (c) => c.job.backoffCapMs, default: HOUR, file: "24h", value: 24 * HOUR, refused: "0s", why: `${DURATION} 1s to 24h, not "0s"` },
  "job.backoff_jitter": { read: (c) => c.job.backoffJitter, default: 0.2, file: 1, value: 1, refused: "1.01", why: 'must be a number from 0 to 1, not "1.01"' },
  "job.age": { read: (c) => c.job.ageMs, default: 600_000, file: "0s", value: 0, refused: "2d", why: `${DURATION} 0s to 24h, not "2d"` },
  "job.crashes_max": { read: (c) => c.job.crashesMax, default: 3, file: 0, value: 0, refused: "101", why: 'must be a whole number, 0 to 100, not "101"' },
  "job.queued_max": { read: (c) => c.job.queuedMax, default: undefined, file: 10_000_000, value: 10_000_000, refused: "0", why: 'must be a whole number, 1 to 10000000, not "0"' },
  "job.inline_bytes": { read: (c) => c.job.inlineBytes, default: 262_144, file: "1 MiB", value: 1_048_576, refused: "17MiB", why: `${BYTES} 0 to 16MiB, not "17MiB"` },
  "job.value_bytes": { read: (c) => c.job.valueBytes, default: 67_108_864, file: 1_000_000, value: 1_000_000, refused: "1MB", why: `${BYTES} 1 to 1GiB, not "1MB"` },
  "job.metadata_pairs": { read: (c) => c.job.metadataPairs, default: 32, file: 64, value: 64, refused: "1001", why: 'must be a whole number, 0 to 1000, not "1001"' },
  "job.depth_max": { read: (c) => c.job.depthMax, default: 100, file: 7, value: 7, refused: "-1", why: 'must be a whole number, 0 to 10000, not "-1"' },
  "job.spawn_rate": { read: (c) => c.job.spawnRate, default: 100, file: "200/min", value: 200, refused: "3/s", why: 'must be a whole number in a minute, 0 to 100000, not "3/s"' },
  "job.adopt_wait": { read: (c) => c.job.adoptWaitMs, default: 600_000, file: "24h", value: 24 * HOUR, refused: "25h", why: `${DURATION} 0s to 24h, not "25h"` },
  "output.kept_bytes": { read: (c) => c.output.keptBytes, default: 1_073_741_824, file: "2GiB", value: 2_147_483_648, refused: "0", why: `${BYTES} 1 to 1024GiB, not "0"` },
  "output.tail_bytes": { read: (c) => c.output.tailBytes, default: 65_536, file: 1_024, value: 1_024, refused: "-1", why: `${BYTES} 1 to 64MiB, not "-1"` },
  "history.rows_max": { read: (c) => c.history.rowsMax, default: 1_000, file: 10, value: 10, refused: "many", why: 'must be a whole number, 0 to 1000000, not "many"' },
  "exec.env": { read: (c) => c.exec.env, default: ["PATH", "HOME", "LANG", "TZ"], file: ["PATH", "LC_ALL"], text: "PATH,LC_ALL", value: ["PATH", "LC_ALL"], refused: "A B", why: `${VARIABLES}, not "A B"` },
  "exec.secrets": { read: (c) => c.exec.secrets, default: [], file: ["TOKEN_1"], text: "TOKEN_1", value: ["TOKEN_1"], refused: "token", why: `${VARIABLES} in capitals, not "token"` },
  "exec.uid": { read: (c) => c.exec.uid, default: undefined, file: 1000, value: 1000, refused: "nobody", why: 'must be a whole number, 0 to 4294967294, not "nobody"' },
  "http_request.allow": { read: (c) => c.httpRequest.allow, default: [], file: ["nas.lan", "10.0.0.0/8", "fd00::/8", "::1"], text: "nas.lan,10.0.0.0/8,fd00::/8,::1", value: ["nas.lan", "10.0.0.0/8", "fd00::/8", "::1"], refused: "10.0.0.0/33", why: 'must be host names, addresses or CIDRs, not "10.0.0.0/33"' },
  "http_request.secrets": { read: (c) => c.httpRequest.secrets, default: [], file: ["API_KEY"], text: "API_KEY", value: ["API_KEY"], refused: "a-b", why: `${VARIABLES} in capitals, not "a-b"` },
  "http_request.body_bytes": { read: (c) => c.httpRequest.bodyBytes, default: 67_108_864, file: "1KiB", value: 1_024, refused: "2GiB", why: `${BYTES} 1 to 1GiB, not "2GiB"` },
  "windows.ssh_host": { read: (c) => c.windows.sshHost, default: "localhost", file: "win1.lan", value: "win1.lan", refused: "-oProxyCommand=x", why: 'must be a host name or an address, not "-oProxyCommand=x"' },
  "windows.ssh_port": { read: (c) => c.windows.sshPort, default: 22_555, file: 22, value: 22, refused: "65536", why: 'must be a whole number, 1 to 65535, not "65536"' },
  "windows.ssh_user": { read: (c) => c.windows.sshUser, default: "administrator", file: "LAB\\ann", value: "LAB\\ann", refused: "-l", why: 'must be the name of an account, not "-l"' },
  "windows.ssh_identity_file": { read: (c) => c.windows.sshIdentityFile, default: "", file: "~/.ssh/lab", value: "/home/ann/.ssh/lab", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  "windows.ssh_known_hosts": { read: (c) => c.windows.sshKnownHosts, default: "", file: "/x/known", value: "/x/known", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  "windows.max_parallel": { read: (c) => c.windows.maxParallel, default: 8, file: 64, value: 64, refused: "65", why: 'must be a whole number, 1 to 64, not "65"' },
  "aloha.server_url": { read: (c) => c.aloha.serverUrl, default: "http://127.0.0.1:7887", file: "http://win1:7887//", value: "http://win1:7887", refused: "win1:7887", why: `must be ${URL_RULE}, not "win1:7887"` },
  "aloha.client_url": { read: (c) => c.aloha.clientUrl, default: "http://127.0.0.1:7888", file: "http://win1:7888/run_task/", value: "http://win1:7888", refused: "ws://win1", why: `must be ${URL_RULE}, not "ws://win1"` },
  "aloha.server_start_cmd": { read: (c) => c.aloha.serverStartCmd, default: "", file: "start a.cmd", value: "start a.cmd", refused: "a\0b", why: 'must be a command, not "a\\u0000b"' },
  "aloha.client_start_cmd": { read: (c) => c.aloha.clientStartCmd, default: "", file: "start b.cmd", value: "start b.cmd", refused: "a\0b", why: 'must be a command, not "a\\u0000b"' },
  "aloha.client_task": { read: (c) => c.aloha.clientTask, default: "WinAutomation-Aloha", file: "My Task", value: "My Task", refused: "a\nb", why: 'must be a text of one line, not "a\\nb"' },
  "aloha.client_log": { read: (c) => c.aloha.clientLog, default: "C:\\ProgramData\\win-automation\\aloha\\client.log", file: "D:/a b.log", value: "D:/a b.log", refused: "client.log", why: 'must be an absolute path on Windows, not "client.log"' },
  "playwright.host": { read: (c) => c.playwright.host, default: "127.0.0.1", file: "win1", value: "win1", refused: "a b", why: 'must be a host name or an address, not "a b"' },
  "playwright.port": { read: (c) => c.playwright.port, default: 9_323, file: 1, value: 1, refused: "0", why: 'must be a whole number, 1 to 65535, not "0"' },
  "playwright.tunnel": { read: (c) => c.playwright.tunnel, default: "auto", file: "off", value: "off", refused: "maybe", why: 'must be one of auto, on, off, not "maybe"' },
  "playwright.ws_path": { read: (c) => c.playwright.wsPath, default: undefined, file: "/a1b2c3", value: "/a1b2c3", refused: "two words", why: "must be a path without spaces" },
  "supervisor.interval": { read: (c) => c.supervisor.intervalMs, default: 30_000, file: "1s", value: 1_000, refused: "999ms", why: `${DURATION} 1s to 1h, not "999ms"` },
  "supervisor.threshold": { read: (c) => c.supervisor.threshold, default: 3, file: 1, value: 1, refused: "0", why: 'must be a whole number, 1 to 100, not "0"' },
  "supervisor.open_for": { read: (c) => c.supervisor.openForMs, default: 60_000, file: "1h", value: HOUR, refused: "2h", why: `${DURATION} 1s to 1h, not "2h"` },
  "supervisor.open_max": { read: (c) => c.supervisor.openMaxMs, default: 900_000, file: "1m", value: 60_000, refused: "never", why: `${DURATION} 1s to 1h, not "never"` },
  "supervisor.window": { read: (c) => c.supervisor.windowMs, default: 1_800_000, file: "24h", value: 24 * HOUR, refused: "30s", why: `${DURATION} 1m to 24h, not "30s"` },
  "supervisor.opens_max": { read: (c) => c.supervisor.opensMax, default: 3, file: 100, value: 100, refused: "101", why: 'must be a whole number, 1 to 100, not "101"' },
  "supervisor.repairs_max": { read: (c) => c.supervisor.repairsMax, default: 5, file: 0, value: 0, refused: "-1", why: 'must be a whole number, 0 to 100, not "-1"' },
  "supervisor.good_probes": { read: (c) => c.supervisor.goodProbes, default: 2, file: 1, value: 1, refused: "1.5", why: 'must be a whole number, 1 to 100, not "1.5"' },
  "supervisor.settle": { read: (c) => c.supervisor.settleMs, default: 5_000, file: "0s", value: 0, refused: "6m", why: `${DURATION} 0s to 5m, not "6m"` },
  "supervisor.failpoint": { read: (c) => c.supervisor.failpoint, default: undefined, file: "ssh", value: "ssh", refused: "disk", why: 'must be one of ssh, aloha_server, aloha_client, hatchet, playwright, not "disk"' },
  "hatchet.mode": { read: (c) => c.hatchet.mode, default: "production", file: "lite", value: "lite", refused: "tiny", why: 'must be one of lite, production, not "tiny"' },
  "hatchet.http_url": { read: (c) => c.hatchet.httpUrl, default: "http://127.0.0.1:8888", file: "https://hatchet.lan/", value: "https://hatchet.lan", refused: "x", why: `must be ${URL_RULE}, not "x"` },
  "hatchet.grpc_address": { read: (c) => c.hatchet.grpcAddress, default: "localhost:7077", file: "hatchet.lan:1", value: "hatchet.lan:1", refused: "hatchet.lan:0", why: 'must be host:port with a port from 1 to 65535, not "hatchet.lan:0"' },
  "hatchet.health_url": { read: (c) => c.hatchet.healthUrl, default: "http://127.0.0.1:8733", file: "http://h/live/", value: "http://h/live", refused: "http://", why: `must be ${URL_RULE}, not "http://"` },
  "hatchet.api_token": { read: (c) => c.hatchet.apiToken, default: undefined, file: `\${TOKEN}`, text: "tok-1", value: "tok-1", refused: "tok 1", why: "must be a token without spaces" },
  "hatchet.database_url": { read: (c) => c.hatchet.databaseUrl, default: undefined, file: "postgres://w@db:5432/windlass", value: "postgres://w@db:5432/windlass", refused: "mysql://db/x", why: 'must be a URL that names a database, such as postgres://localhost/windlass, not "mysql://db/x"' },
  "hatchet.database_password": { read: (c) => c.hatchet.databasePassword, default: undefined, file: "s3cret", value: "s3cret", refused: "a\nb", why: "must be a text of one line" },
  "hatchet.tls_strategy": { read: (c) => c.hatchet.tlsStrategy, default: "", file: "mtls", value: "mtls", refused: "ssl", why: 'must be one of "", none, tls, mtls, not "ssl"' },
  "hatchet.tls_ca": { read: (c) => c.hatchet.tlsCa, default: "", file: "/x/ca.pem", value: "/x/ca.pem", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  "hatchet.tls_cert": { read: (c) => c.hatchet.tlsCert, default: "", file: "/x/c.pem", value: "/x/c.pem", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  "hatchet.tls_key": { read: (c) => c.hatchet.tlsKey, default: "", file: "/x/k.pem", value: "/x/k.pem", refused: "a\0b", why: 'must be a path, not "a\\u0000b"' },
  "hatchet.tls_server_name": { read: (c) => c.hatchet.tlsServerName, default: "", file: "h.lan", value: "h.lan", refused: "a\nb", why: 'must be a text of one line, not "a\\nb"' },
  "hatchet.allow_plaintext": { read: (c) => c.hatchet.allowPlaintext, default: false, file: "true", value: true, refused: "2", why: 'must be true or false, not "2"' },
  "hatchet.namespace": { read: (c) => c.hatchet.namespace, default: "default", file: "lab", value: "lab", refused: "a b", why: 'must be a name without spaces, not "a b"' },
  "hatchet.worker_name": { read: (c) => c.hatchet.workerName, default: "", file: "w1", value: "w1", refused: "a\nb", why: 'must be a text of one line, not "a\\nb"' },
  "hatchet.connect_timeout": { read: (c) => c.hatchet.connectTimeoutMs, default: 10_000, file: 2_000, text: "2s", value: 2_000, refused: "2", why: `${DURATION} 1s to 1h, not "2"` },
  "hatchet.postgres_host": { read: (c) => c.hatchet.postgresHost, default: "localhost", file: "db.lan", value: "db.lan", refused: "a@b", why: 'must be a host name or an address, not "a@b"' },
  "hatchet.postgres_port": { read: (c) => c.hatchet.postgresPort, default: 5_432, file: 5_433, value: 5_433, refused: "x", why: 'must be a whole number, 1 to 65535, not "x"' },
  "hatchet.postgres_db": { read: (c) => c.hatchet.postgresDb, default: "hatchet", file: "h2", value: "h2", refused: "a b", why: 'must be a name without spaces, not "a b"' },
  "hatchet.postgres_user": { read: (c) => c.hatchet.postgresUser, default: "hatchet", file: "ann", value: "ann", refused: "a b", why: 'must be a name without spaces, not "a b"' },
  "hatchet.postgres_password": { read: (c) => c.hatchet.postgresPassword, default: undefined, file: "s3cret", value: "s3cret", refused: "a\nb", why: "must be a text of one line" },
};

const folder = mkdtempSync(join(tmpdir(), "windlass-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ENV = { TOKEN: "tok-1" };

function load(request: Partial<LoadRequest> = {}) {
  return loadConfig({ cwd: folder, home: "/home/ann", env: ENV, ...request });
}

/** `worker.lease` as a file nests it, written as YAML and as JSON. */
function writeFiles(key: string, value: unknown): readonly string[] {
  const nested = key.split(".").reduceRight((inner, name) => ({ [name]: inner }), value);
  const yaml = join(folder, "settings.yaml");
  const json = join(folder, "settings.json");
  writeFileSync(yaml, stringify(nested));
  writeFileSync(json, JSON.stringify(nested));
  return [yaml, json];
}

async function refusal(request: Partial<LoadRequest>): Promise<string> {
  const error = await load(request).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "AppError", code: "CONFIG" });
  return configErrorText(error as Error);
}

describe.each(Object.keys(CASES) as SettingKey[])("%s", (key) => {
  const row: Setting = SETTINGS[key];
  const { read, file, text = String(file), value, refused, why, default: none } = CASES[key];
  const [name = ""] = environmentNamesOf(key, row);

  test("has its default where nothing is said", async () => {
    const { config, origins, warnings } = await load();
    expect(read(config)).toEqual(none);
    expect(origins.get(key)).toEqual({ kind: "default" });
    expect(warnings).toEqual([]);
  });

  const inFile = row.environmentOnly === true ? "is refused" : "is read";
  test(`${inFile} in YAML and in JSON`, async () => {
    for (const path of writeFiles(key, file)) {
      if (row.environmentOnly === true) {
        const reason = `may not stand in a file; set it in the environment as WINDLASS_${name}`;
        expect(await refusal({ configPath: path })).toBe(`config error: ${key} ${reason} (file ${path})`);
        continue;
      }
      const { config, origins, warnings } = await load({ configPath: path });
      expect(read(config)).toEqual(value);
      expect(origins.get(key)).toEqual({ kind: "file", path });
      expect(warnings).toEqual([]);
    }
  });

  test.each(["WINDLASS_", "WIN_AUTOMATION_"])("is read from the environment as %s…", async (prefix) => {
    const variable = prefix + name;
    const { config, origins } = await load({ env: { [variable]: text } });
    expect(read(config)).toEqual(value);
    expect(origins.get(key)).toEqual({ kind: "environment", name: variable });
  });

  test("is taken from a flag", async () => {
    const { config, origins } = await load({ flags: { [key]: text } });
    expect(read(config)).toEqual(value);
    expect(origins.get(key)).toEqual({ kind: "flag", name: row.flag ?? key });
  });

  test("refuses a wrong value with its reason, from every source", async () => {
    const variable = `WINDLASS_${name}`;
    expect(await refusal({ env: { [variable]: refused } })).toBe(
      `config error: ${key} ${why} (environment ${variable})`,
    );
    const source = row.flag === undefined ? "the call" : `flag ${row.flag}`;
    expect(await refusal({ flags: { [key]: refused } })).toBe(`config error: ${key} ${why} (${source})`);
    if (row.environmentOnly === true || row.secret === true) return;
    for (const path of writeFiles(key, refused)) {
      expect(await refusal({ configPath: path })).toBe(`config error: ${key} ${why} (file ${path})`);
    }
  });

  test("refuses a value of another shape, and reads back what it prints", async () => {
    const place = { key, origin: { kind: "default" }, folder, home: "/home/ann", secret: false } as const;
    for (const shape of [{ a: { b: 1 } }, [[1]], null, Number.NaN]) {
      expect(() => row.parse(shape, place)).toThrow(expect.objectContaining({ code: "CONFIG" }));
    }
    expect(row.parse(row.format(value), place)).toEqual(value);
  });
});
