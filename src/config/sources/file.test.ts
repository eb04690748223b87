// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what files say to the loader
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type LoadRequest, loadConfig } from "../load.ts";
import { configErrorText } from "../schema/setting.ts";

const HOME = "/home/ann";

let folder = "";
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "windlass-file-")));
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

/** The refusal of a YAML file, without the file's name at the end. */
async function refusalOf(text: string, env: Record<string, string> = {}): Promise<string> {
  const path = write("refused.yaml", text);
  return (await refusal({ configPath: path, env })).replace(` (file ${path})`, "");
}

describe("reading a file", () => {
  test("a missing, an unreadable and a broken file say so with the path as it was given", async () => {
    mkdirSync(join(folder, "folder.yaml"));
    write("file", "");
    write("a.json", '{ "hatchet": { "namespace": "hush"; } }');
    write("b.json", "hush");
    write("c.yaml", "hatchet:\n  namespace: hush\n bad: [");
    write("d.yaml", "- a\n- b\n");
    write("e.yaml", "timeout: 1s\ntimeout: 2s\n");
    const text = (configPath: string) => refusal({ configPath });
    expect(await text("none.yaml")).toBe("config error: none.yaml does not exist");
    expect(await text("folder.yaml")).toBe("config error: folder.yaml is a folder, not a file");
    expect(await text("file/x.yaml")).toBe("config error: file/x.yaml cannot be read (ENOTDIR)");
    expect(await text("a.json")).toBe("config error: a.json is not valid JSON (line 1 column 35)");
    expect(await text("b.json")).toBe("config error: b.json is not valid JSON");
    expect(await text("c.yaml")).toMatch(/^config error: c\.yaml is not valid YAML: [^\n]+ at line 3, column \d+$/);
    expect(await text("c.yaml")).not.toContain("hush");
    expect(await text("d.yaml")).toBe(
      "config error: d.yaml must hold a block of keys, such as worker: { concurrency: 5 }",
    );
    expect(await text("e.yaml")).toMatch(/^config error: e\.yaml is not valid YAML: Map keys must be unique/);
  });

  test("an empty file, an empty block and an empty key say nothing", async () => {
    for (const text of ["", "# nothing\n", "worker:\n", "worker:\n  lease:\n", "{}"]) {
      const configPath = write("c.yaml", text);
      expect((await load({ configPath })).config.worker.leaseMs).toBe(15_000);
    }
  });

  test("a mark of byte order and a dotted key are understood", async () => {
    const configPath = write("c.json", '\uFEFF{ "worker.lease": "2s" }');
    expect((await load({ configPath })).config.worker.leaseMs).toBe(2_000);
  });
});

describe("keys and texts of a file", () => {
  test.each([
    ["worker: { leese: 1s }", "worker.leese is not a known key; the nearest is worker.lease"],
    ["lease: 1s", "lease is not a known key; the nearest is worker.lease"],
    ["retention: { day: 1 }", "retention.day is not a known key; the nearest is retention.days"],
    ["hosts: { lab1: { port: 1 } }", "hosts.lab1.port is not a known key; the nearest is playwright.port"],
    ["worker: 5", "worker must be a block of keys (concurrency, labels, grace, kill_grace, lease, tick)"],
    ["worker: { lease: 2s }\nworker.lease: 3s", "worker.lease is given twice"],
    [
      "job: { inline_bytes: 2048, value_bytes: 1024 }",
      "job.value_bytes must be at least job.inline_bytes (2048), not 1024",
    ],
    [
      "worker: { labels: { site: 'a,b' } }",
      'worker.labels must be key=value pairs: a key of letters, digits and ._/-, a value without a comma, not "site=a,b"',
    ],
  ])("%s is refused", async (text, reason) => {
    expect(await refusalOf(text)).toBe(`config error: ${reason}`);
  });

  test("variables are replaced in every text, also in lists, labels and hosts", async () => {
    const configPath = write(
      "c.yaml",
      [
        "windows: { ssh_user: '${LAB_USER}', ssh_port: '${LAB_PORT:-2222}' }",
        "worker: { labels: { cost: '$$${LAB_USER}' } }",
        "exec: { env: ['${LAB_VARIABLE}'] }",
        "hosts: { lab1: { ssh_host: 'win.${LAB_DOMAIN:-lan}' } }",
      ].join("\n"),
    );
    const { config } = await load({ configPath, env: { LAB_USER: "ann", LAB_VARIABLE: "LC_ALL" } });
    expect([config.windows.sshUser, config.windows.sshPort]).toEqual(["ann", 2222]);
    expect(config.worker.labels).toEqual({ cost: "$ann" });
    expect(config.exec.env).toEqual(["LC_ALL"]);
    expect(config.hosts.get("lab1")?.sshHost).toBe("win.lan");
  });

  test("an unset variable is an error that names it", async () => {
    expect(await refusalOf("windows: { ssh_user: '${LAB_USER}' }")).toBe(
      "config error: windows.ssh_user needs the environment variable LAB_USER, which is not set; set it or write ${LAB_USER:-default}",
    );
  });

  test("a token stands in a file only as exactly ${NAME}", async () => {
    const why =
      "config error: hatchet.api_token must be written as exactly ${NAME} in a file; a literal secret is refused";
    for (const token of ["ey.literal", "x${TOKEN}", "$${TOKEN}", "${TOKEN:-ey.literal}", "${TOKEN}${TOKEN}"]) {
      expect(await refusalOf(`hatchet: { api_token: '${token}' }`, { TOKEN: "t" })).toBe(why);
    }
  });

  test("a password in a URL is refused in a file, and taken from the environment", async () => {
    const why = "config error: hatchet.database_url holds a password, which a file may give only as ${NAME}";
    for (const url of ["postgres://w:hush@db/windlass", "postgres://db/windlass?password=hush"]) {
      expect(await refusalOf(`hatchet: { database_url: '${url}' }`)).toBe(why);
      expect((await load({ env: { WINDLASS_HATCHET_DATABASE_URL: url } })).config.hatchet.databaseUrl).toBe(url);
    }
    const configPath = write("c.yaml", "hatchet: { database_url: 'postgres://w:${DB_PW}@db/windlass' }");
    const { config } = await load({ configPath, env: { DB_PW: "hush" } });
    expect(config.hatchet.databaseUrl).toBe("postgres://w:hush@db/windlass");
  });

  test("a refusal repeats no secret", async () => {
    for (const [name, value] of [
      ["WINDLASS_HATCHET_TOKEN", "hush hush"],
      ["WINDLASS_PLAYWRIGHT_WS_PATH", "hush hush"],
      ["WINDLASS_DB_PASSWORD", "hush\nhush"],
      ["WINDLASS_HATCHET_DATABASE_URL", "mysql://w:hush@db/windlass"],
      ["WINDLASS_HATCHET_DATABASE_URL", "w:hush/hush@db/windlass"],
      ["WINDLASS_HATCHET_HTTP_URL", "ftp://w:hush@db/"],
    ] as const) {
      expect(await refusal({ env: { [name]: value } })).not.toContain("hush");
    }
  });
});

describe("hosts", () => {
  test("the top-level blocks are the host default", async () => {
    const { config } = await load({ env: { WINDLASS_WINDOWS_SSH_HOST: "win1" } });
    expect([...config.hosts.keys()]).toEqual(["default"]);
    expect(config.hosts.get("default")).toEqual({
      ...config.windows,
      aloha: config.aloha,
      playwright: config.playwright,
      labels: {},
    });
  });

  test("a named host has its own settings, else the schema's defaults, never those of the host default", async () => {
    const configPath = write(
      "c.yaml",
      [
        "windows: { ssh_host: other, ssh_user: ann }",
        "hosts:",
        "  lab1: { ssh_port: 22556, ssh_identity_file: key, labels: { site: lab }, aloha: { client_url: http://a/run_task } }",
        "  lab2:",
        "  lab3: { playwright: {}, aloha: }",
      ].join("\n"),
    );
    const { config, origins } = await load({ configPath, env: { WINDLASS_PLAYWRIGHT_WS_PATH: "/hush" } });
    const lab1 = config.hosts.get("lab1");
    expect(lab1).toMatchObject({ sshHost: "localhost", sshPort: 22_556, sshUser: "administrator", maxParallel: 8 });
    expect(lab1).toMatchObject({ sshIdentityFile: join(folder, "key"), labels: { site: "lab" } });
    expect(lab1?.aloha).toMatchObject({ clientUrl: "http://a", serverUrl: "http://127.0.0.1:7887" });
    expect(lab1?.playwright).toBeUndefined();
    expect(config.hosts.get("lab2")).toMatchObject({ sshHost: "localhost", labels: {} });
    expect(config.hosts.get("lab3")?.playwright).toMatchObject({ port: 9_323, wsPath: "/hush" });
    expect(config.hosts.get("lab3")?.aloha).toBeUndefined();
    expect(config.hosts.get("constructor")).toBeUndefined();
    expect(origins.get("hosts.lab1.ssh_port")).toEqual({ kind: "file", path: configPath });
    expect(origins.get("hosts.lab1.ssh_host")).toBeUndefined();
  });

  test.each([
    ["hosts: [a]", "hosts must be a block of hosts by name"],
    ["hosts: { lab1: win1 }", "hosts.lab1 must be a block of keys"],
    [
      "hosts: { default: {} }",
      "hosts.default is made of the blocks windows, aloha and playwright; write its keys there",
    ],
    ["hosts: { 'a b': {} }", "hosts.a b is not a name of letters, digits and . _ - (up to 63)"],
    ["hosts: { lab1: { ssh_port: 0 } }", "hosts.lab1.ssh_port must be a whole number, 1 to 65535, not 0"],
    [
      "hosts: { lab1: { aloha: 5 } }",
      "hosts.lab1.aloha must be a block of keys (server_url, client_url, server_start_cmd, client_start_cmd, client_task, client_log)",
    ],
    [
      "hosts: { lab1: { playwright: { ws_path: /x } } }",
      "hosts.lab1.playwright.ws_path may not stand in a file; set it in the environment as WINDLASS_PLAYWRIGHT_WS_PATH",
    ],
  ])("%s is refused", async (text, reason) => {
    expect(await refusalOf(text)).toBe(`config error: ${reason}`);
  });
});
