import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { DEFAULT_LIMITS } from "../job/limits.ts";
import { jobLimitsOf } from "./job-limits.ts";
import { type LoadRequest, loadConfig } from "./load.ts";
import { configErrorText } from "./schema/setting.ts";

const HOME = "/home/ann";
const OWN = process.getuid?.() ?? 0;

let folder = "";
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "windlass-load-")));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function load(request: Partial<LoadRequest> = {}) {
  return loadConfig({ cwd: folder, home: HOME, env: {}, ...request });
}

async function refusal(request: Partial<LoadRequest>): Promise<string> {
  const error = await load(request).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "AppError", code: "CONFIG" });
  return configErrorText(error as Error);
}

describe("precedence", () => {
  test("a flag beats the environment, the environment beats the file, the file beats the default", async () => {
    const configPath = write("c.yaml", "worker: { concurrency: 2 }");
    const env = { WIN_AUTOMATION_WORKER_CONCURRENCY: "3" };
    const flags = { "worker.concurrency": 4 };
    const read = async (request: Partial<LoadRequest>) => (await load(request)).config.worker.concurrency;
    expect(await read({})).toBe(5);
    expect(await read({ configPath })).toBe(2);
    expect(await read({ configPath, env })).toBe(3);
    expect(await read({ configPath, env, flags })).toBe(4);
    expect(await read({ flags: { "worker.concurrency": undefined } })).toBe(5);
  });

  test("of both prefixes WINDLASS_ wins, with a warning", async () => {
    const { config, origins, warnings } = await load({ env: { WINDLASS_TIMEOUT: "2s", WIN_AUTOMATION_TIMEOUT: "3s" } });
    expect(config.timeoutMs).toBe(2_000);
    expect(origins.get("timeout")).toEqual({ kind: "environment", name: "WINDLASS_TIMEOUT" });
    expect(warnings).toEqual(["WIN_AUTOMATION_TIMEOUT is ignored, because WINDLASS_TIMEOUT is set too"]);
  });

  test("a value that something stronger hides is checked all the same", async () => {
    const configPath = write("c.yaml", "timeout: 2h");
    expect(await refusal({ configPath, env: { WINDLASS_TIMEOUT: "2s" } })).toContain("config error: timeout must be");
  });

  test("files of --jobs are added to those of file and environment", async () => {
    const configPath = write("c.yaml", "jobs: [a.ts]");
    const { config } = await load({ configPath, flags: { jobs: ["b.ts"] } });
    expect(config.jobs).toEqual([join(folder, "a.ts"), join(folder, "b.ts")]);
  });

  test("an empty variable is unset, but an empty list is a list", async () => {
    const { config, origins } = await load({ env: { WINDLASS_DB: "", WINDLASS_TIMEOUT: "", WINDLASS_EXEC_ENV: "" } });
    expect([origins.get("database.path")?.kind, config.timeoutMs, config.exec.env]).toEqual(["default", 10_000, []]);
  });
});

describe("other names", () => {
  test.each([
    ["hatchet.worker_concurrency", "7", "worker.concurrency", 7],
    ["hatchet.job_timeout", "2m", "job.timeout", 120_000],
    ["hatchet.retry_max", "1", "job.retry_max", 1],
    ["hatchet.retry_backoff", "9s", "job.retry_backoff", 9_000],
    ["hatchet.server_url", "http://h/", "hatchet.http_url", "http://h"],
  ])("%s = %s means %s", async (alias, text, key, value) => {
    const [block, name] = alias.split(".");
    const configPath = write("c.yaml", `${block}: { ${name}: ${JSON.stringify(text)} }`);
    const variable = `WIN_AUTOMATION_${alias.toUpperCase().replace(".", "_")}`;
    for (const request of [{ configPath }, { env: { [variable]: text } }]) {
      const { config, origins, warnings } = await load(request);
      const { concurrency } = config.worker;
      const { timeoutMs, retryMax, retryBackoffMs } = config.job;
      expect([concurrency, timeoutMs, retryMax, retryBackoffMs, config.hatchet.httpUrl]).toContain(value);
      expect(origins.get(key)?.kind).not.toBe("default");
      expect(warnings).toEqual([]);
    }
  });

  test("where key and alias are both given, the key wins with a warning", async () => {
    const configPath = write("c.yaml", "worker: { concurrency: 2 }\nhatchet: { worker_concurrency: 3 }");
    const inFile = await load({ configPath });
    expect(inFile.config.worker.concurrency).toBe(2);
    expect(inFile.warnings).toEqual([
      `hatchet.worker_concurrency is ignored, because worker.concurrency is set too (file ${configPath})`,
    ]);
    const env = { WIN_AUTOMATION_WORKER_CONCURRENCY: "2", WINDLASS_HATCHET_WORKER_CONCURRENCY: "3" };
    expect((await load({ env })).config.worker.concurrency).toBe(2);
  });

  test.each([
    ["HATCHET_CLIENT_TOKEN", "tok", "apiToken", "HATCHET_TOKEN", "ours"],
    ["HATCHET_CLIENT_HOST_PORT", "h:1", "grpcAddress", "HATCHET_GRPC_ADDRESS", "ours:2"],
    ["HATCHET_CLIENT_TLS_STRATEGY", "tls", "tlsStrategy", "HATCHET_TLS_STRATEGY", "none"],
  ] as const)("%s is read when nothing of ours says it", async (name, value, field, ours, other) => {
    const alone = await load({ env: { [name]: value } });
    expect(alone.config.hatchet[field]).toBe(value);
    expect([...alone.origins.values()]).toContainEqual({ kind: "environment", name });
    const both = await load({ env: { [name]: "not even valid", [`WINDLASS_${ours}`]: other } });
    expect(both.config.hatchet[field]).toBe(other);
    expect(both.warnings).toEqual([]);
  });

  test("a file is stronger than a variable of Hatchet's client", async () => {
    const configPath = write("c.yaml", "hatchet: { grpc_address: 'file:1' }");
    const { config } = await load({ configPath, env: { HATCHET_CLIENT_HOST_PORT: "client:1" } });
    expect(config.hatchet.grpcAddress).toBe("file:1");
  });
});

describe("which file", () => {
  test("--config wins over WINDLASS_CONFIG, which wins over the project's file", async () => {
    write(".windlass/config.yaml", "timeout: 1s");
    write("named.yaml", "timeout: 2s");
    write("flag.json", '{ "timeout": "3s" }');
    const read = async (request: Partial<LoadRequest>) => (await load(request)).config.timeoutMs;
    const env = { WINDLASS_CONFIG: "named.yaml" };
    expect(await read({})).toBe(1_000);
    expect(await read({ env })).toBe(2_000);
    expect(await read({ env: { WIN_AUTOMATION_CONFIG: "named.yaml" } })).toBe(2_000);
    expect(await read({ env, configPath: "flag.json" })).toBe(3_000);
  });

  test("the project's file is found from a folder below it", async () => {
    const path = write(".windlass/config.yaml", "timeout: 1s");
    const cwd = join(folder, "a", "b");
    mkdirSync(cwd, { recursive: true });
    const { config, origins } = await load({ cwd });
    expect(config.timeoutMs).toBe(1_000);
    expect(origins.get("timeout")).toEqual({ kind: "file", path });
  });

  test("--config with nothing behind it is refused", async () => {
    expect(await refusal({ configPath: "" })).toBe("config error: --config names no file; give a path");
  });

  test("the project's file is not passed over where it cannot be read", async () => {
    mkdirSync(join(folder, ".windlass"));
    const path = join(folder, ".windlass", "config.yaml");
    symlinkSync(path, path);
    expect(await refusal({})).toBe(`config error: ${path} cannot be read (ELOOP)`);
    rmSync(path);
    symlinkSync(join(folder, "nowhere"), path);
    expect(await refusal({})).toBe(`config error: ${path} does not exist`);
  });

  test("the project's file is not passed over where its folder may not be searched", async ({ skip }) => {
    if (OWN === 0) return skip("root may look everywhere");
    const path = write(".windlass/config.yaml", "timeout: 1s");
    chmodSync(dirname(path), 0o600);
    const text = await refusal({});
    chmodSync(dirname(path), 0o700);
    expect(text).toBe(`config error: ${path} cannot be read: permission denied`);
  });

  test("a windlass.yaml that nobody named is not read, with one warning", async () => {
    const path = write("windlass.yaml", "timeout: 1s");
    const { config, warnings } = await load();
    expect(config.timeoutMs).toBe(10_000);
    expect(warnings).toEqual([
      `${path} is not read; name it with --config windlass.yaml or move it to .windlass/config.yaml`,
    ]);
    expect((await load({ configPath: "windlass.yaml" })).warnings).toEqual([]);
    expect((await load({ env: { WINDLASS_CONFIG: path } })).warnings).toEqual([]);
  });
});

describe("a project of another account", () => {
  /** Makes what is ours a stranger's: by its owner for root, whose files everybody trusts, else by who asks. */
  const stranger = OWN === 0 ? { fileUid: 4711, uid: 0 } : { fileUid: OWN, uid: OWN + 1 };
  const load1 = (request: Partial<LoadRequest> = {}) => load({ uid: stranger.uid, ...request });
  const refused = (request: Partial<LoadRequest> = {}) => refusal({ uid: stranger.uid, ...request });

  function makeProject(at = ".windlass"): string {
    write(join(at, "config.yaml"), "timeout: 1s");
    const path = join(folder, at);
    if (OWN === 0) chownSync(path, stranger.fileUid, 0);
    return path;
  }

  test("is not read, from a folder below it either; the message says whose it is and what to do", async () => {
    const mark = makeProject();
    const cwd = join(folder, "a");
    mkdirSync(cwd);
    for (const request of [{}, { cwd }]) {
      expect(await refused(request)).toBe(
        `config error: ${mark} belongs to another account (uid ${stranger.fileUid}; you are ${stranger.uid}), who could decide what runs here; name what you trust with --config PATH and --db PATH, or make the folder yours with chown`,
      );
    }
  });

  test("is read where the call names what it trusts, and no more of it than that", async () => {
    const mark = makeProject();
    const configPath = join(mark, "config.yaml");
    const flags = { "database.path": join(mark, "windlass.db") };
    const both = await load1({ configPath, flags });
    expect([both.config.timeoutMs, both.config.database.path, both.warnings]).toEqual([
      1_000,
      flags["database.path"],
      [],
    ]);
    const database = await load1({ flags });
    expect([database.config.timeoutMs, database.warnings]).toEqual([
      10_000,
      [
        expect.stringMatching(
          /^\S+\.windlass is not read, because it belongs to another account .*--config to use it$/,
        ),
      ],
    ]);
    expect(await refused({ configPath })).toContain("belongs to another account");
    expect((await load1({ configPath, env: { WINDLASS_DB: "x.db" } })).warnings).toEqual([]);
  });

  test("hides one further up: the nearest decides", async () => {
    mkdirSync(join(folder, ".windlass"));
    makeProject("inner/.windlass");
    if (OWN === 0) expect((await load1()).config.timeoutMs).toBe(10_000);
    expect(await refused({ cwd: join(folder, "inner") })).toContain("inner/.windlass belongs to");
  });

  test("is the caller's own, root's, or on a system without accounts, no stranger's", async () => {
    write(".windlass/config.yaml", "timeout: 1s");
    for (const uid of OWN === 0 ? [0, 4711] : [OWN]) expect((await load({ uid })).config.timeoutMs).toBe(1_000);
    expect((await load()).config.timeoutMs).toBe(1_000);
  });

  test("may hide behind a link: who owns the link decides too", async ({ skip }) => {
    if (OWN !== 0) return skip("only root can give a link to another account");
    write("elsewhere/config.yaml", "timeout: 1s");
    symlinkSync(join(folder, "elsewhere"), join(folder, ".windlass"));
    expect((await load()).config.timeoutMs).toBe(1_000);
    lchownSync(join(folder, ".windlass"), 4711, 0);
    expect(await refusal({})).toContain("belongs to another account (uid 4711; you are 0)");
  });
});

describe("paths", () => {
  test("the database: flag, variable, file, project, state folder", async () => {
    const path = async (request: Partial<LoadRequest> = {}) => (await load(request)).config.database.path;
    expect(await path()).toBe(`${HOME}/.local/state/windlass/windlass.db`);
    expect(await path({ env: { XDG_STATE_HOME: "/state" } })).toBe("/state/windlass/windlass.db");
    expect(await path({ env: { XDG_STATE_HOME: "relative" } })).toBe(`${HOME}/.local/state/windlass/windlass.db`);
    mkdirSync(join(folder, ".windlass"));
    mkdirSync(join(folder, "inner"));
    const { config, origins } = await load({ cwd: join(folder, "inner") });
    expect(config.database.path).toBe(join(folder, ".windlass", "windlass.db"));
    expect(origins.get("database.path")).toEqual({ kind: "found", where: join(folder, ".windlass") });
    const configPath = write("conf/c.yaml", "database: { path: file.db }");
    expect(await path({ configPath })).toBe(join(folder, "conf", "file.db"));
    const env = { WINDLASS_DB: "env.db" };
    expect(await path({ configPath, env })).toBe(join(folder, "env.db"));
    expect(await path({ configPath, env, flags: { "database.path": "flag.db" } })).toBe(join(folder, "flag.db"));
  });

  test("a file that is called .windlass makes no project", async () => {
    write(".windlass", "");
    expect((await load()).origins.get("database.path")).toEqual({ kind: "default" });
  });

  test("artifacts lie at the config file's folder, else the project's, else the database's", async () => {
    const outDir = async (request: Partial<LoadRequest> = {}) => (await load(request)).config.artifacts.outDir;
    const flags = { "database.path": "data/jobs.db" };
    expect(await outDir({ flags })).toBe(join(folder, "data", "artifacts"));
    mkdirSync(join(folder, ".windlass"));
    expect(await outDir({ flags })).toBe(join(folder, "artifacts"));
    expect(await outDir({ flags, cwd: join(folder, ".windlass") })).toBe(join(folder, "artifacts"));
    const configPath = write("conf/c.yaml", "timeout: 2s");
    expect(await outDir({ configPath })).toBe(join(folder, "conf", "artifacts"));
    expect(await outDir({ configPath, env: { WINDLASS_ARTIFACT_OUT: "kept" } })).toBe(join(folder, "conf", "kept"));
    expect(await outDir({ env: { WINDLASS_ARTIFACT_OUT: "/kept" } })).toBe("/kept");
  });

  test("a config.yaml that is added to a project moves nothing: its paths start at the project folder", async () => {
    write(".windlass/config.yaml", "jobs: [jobs.ts]\nwindows: { ssh_identity_file: keys/lab }");
    const { config } = await load();
    expect(config.artifacts.outDir).toBe(join(folder, "artifacts"));
    expect(config.jobs).toEqual([join(folder, "jobs.ts")]);
    expect(config.windows.sshIdentityFile).toBe(join(folder, "keys", "lab"));
    const named = await load({ cwd: "/", configPath: join(folder, ".windlass", "config.yaml") });
    expect(named.config.jobs).toEqual([join(folder, "jobs.ts")]);
  });

  test("the policy is the one beside the database, if there and nothing names another", async () => {
    mkdirSync(join(folder, ".windlass"));
    expect((await load()).config.policy).toBeUndefined();
    const path = write(".windlass/windlass.policy.yaml", "version: 1");
    const { config, origins } = await load();
    expect(config.policy).toBe(path);
    expect(origins.get("policy")).toEqual({ kind: "found", where: dirname(path) });
    expect((await load({ flags: { policy: "mine.yaml" } })).config.policy).toBe(join(folder, "mine.yaml"));
  });

  test("a database that is named by a link keeps the policy beside it", async () => {
    const path = write("real/windlass.policy.yaml", "version: 1");
    const database = write("real/windlass.db", "");
    const link = join(folder, "link.db");
    symlinkSync(database, link);
    write("windlass.policy.yaml", "version: 1");
    expect((await load({ flags: { "database.path": link } })).config.policy).toBe(path);
  });

  test("a config file that the call names, or uses for another database, is the call's choice of a policy", async () => {
    const path = write(".windlass/config.yaml", "policy: other.yaml");
    const originOf = async (more: Parameters<typeof load>[0]) => (await load(more)).config.policyOrigin;
    expect(await originOf({})).toEqual({ kind: "file", path });
    expect(await originOf({ configPath: path })).toEqual({ kind: "flag", name: "--config" });
    expect(await originOf({ env: { WINDLASS_CONFIG: path } })).toEqual({
      kind: "environment",
      name: "WINDLASS_CONFIG",
    });
    expect(await originOf({ flags: { "database.path": "x.db" } })).toMatchObject({ kind: "flag" });
    expect(await originOf({ env: { WINDLASS_DB: "x.db" } })).toEqual({ kind: "environment", name: "WINDLASS_DB" });
    expect((await load({ configPath: path })).origins.get("policy")).toEqual({ kind: "file", path });
  });

  test("the policy of the machine wins over everything, with a warning where something else was named", async () => {
    mkdirSync(join(folder, ".windlass"));
    const systemPolicy = write("etc/policy.yaml", "version: 1");
    write(".windlass/windlass.policy.yaml", "version: 1");
    const found = await load({ systemPolicy });
    expect(found).toMatchObject({ config: { policy: systemPolicy }, warnings: [] });
    expect(found.config.policyOrigin).toEqual({ kind: "found", where: dirname(systemPolicy) });
    const named = await load({ systemPolicy, flags: { policy: "mine.yaml" }, env: { WINDLASS_POLICY: "theirs.yaml" } });
    expect(named.config).toMatchObject({ policy: systemPolicy, policyOrigin: { kind: "found" } });
    expect(named.warnings).toEqual([
      `policy ${join(folder, "mine.yaml")} is not read (flag --policy): ${systemPolicy} holds on this machine`,
    ]);
    // A link that leads nowhere is there: to go on without it would be to go on without the policy.
    const dangling = join(folder, "dangling.yaml");
    symlinkSync("nowhere", dangling);
    expect((await load({ systemPolicy: dangling })).config.policy).toBe(dangling);
  });
});

describe("limits of jobs", () => {
  test("are those of the engine where nothing is configured", async () => {
    expect(jobLimitsOf((await load()).config)).toEqual(DEFAULT_LIMITS);
  });

  test("follow the configuration", async () => {
    const flags = { "job.queued_max": 9, "job.age": "1m", "history.rows_max": 2 };
    expect(jobLimitsOf((await load({ flags })).config)).toEqual({
      ...DEFAULT_LIMITS,
      queuedMax: 9,
      ageMs: 60_000,
      historyRowsMax: 2,
    });
    expect((await load({ flags: { "job.queued_max": "none" } })).config.job.queuedMax).toBeUndefined();
  });
});
