import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROMIUM_ARGS, freePort, killBrowser, linkPlaywright } from "../support/browser-server.ts";
import { type Canaries, CanaryScan, filesBelow, openToOthers, ProcessWatch } from "../support/canaries.ts";
import type { CallOptions, Finished } from "../support/cli.ts";
import { needs } from "../support/system.ts";
import { until } from "../support/until.ts";
import { isIntegration, WindowsBench } from "../support/windows-bench.ts";

// Secrets that nobody could mistake are given to everything that takes one, everything is called, well and badly, and then all
// that it left behind is searched for them. The tests build on each other; the last ones look.
needs("ssh", "sshd", "chromium", "ffmpeg");

const FOLDER = "C:\\ProgramData\\win-automation\\playwright";
const SECRET_FILE = `${FOLDER}\\ws_path.txt`;
const canary = (name: string): string => `CaNaRy-${name}-${randomBytes(12).toString("hex")}`;
const WS_PATH = `${canary("first")}/Deep~path`;
const NEXT_WS_PATH = canary("second");
const WRONG_WS_PATH = canary("wrong");
const TOKEN = canary("token");
const PASSWORD = canary("password");
const JOB_SECRET = canary("job");

let bench: WindowsBench;
let watch: ProcessWatch;
let canaries: Canaries;
/** Whatever any call printed. */
const printed: { readonly args: string; readonly text: string }[] = [];
/** What the calls leave behind of their temporary files is searched too. */
const temporary = (): string => join(bench.cli.path, "tmp");
let openServers: net.Server[] = [];
let site = "";
let wsPath = WS_PATH;

const onSimulator = test.skipIf(isIntegration);

beforeAll(async () => {
  if (isIntegration) return;
  site = `http://127.0.0.1:${await serve(http.createServer(answerSite))}/`;
  bench = await WindowsBench.open({
    config: {
      playwright: { port: await freePort(), tunnel: "on" },
      artifacts: { out_dir: "kept", mirror: true },
      supervisor: { settle: "0s" },
      exec: { secrets: ["JOB_SECRET"] },
      http_request: { secrets: ["JOB_SECRET"], allow: ["127.0.0.1"] },
      worker: { lease: "2s" },
    },
    environment: {
      WINDLASS_CHROMIUM: "/usr/bin/chromium",
      WINDLASS_CHROMIUM_ARGS: JSON.stringify(CHROMIUM_ARGS),
      PLAYWRIGHT_BROWSERS_PATH: "C:\\browsers",
      // Chromium's socket lies below: the real path of the usual folder is too long for one.
      TEMP: "C:\\Temp",
    },
  });
  const { simulator } = bench;
  mkdirSync(temporary(), { mode: 0o700 });
  mkdirSync(simulator.path("C:\\browsers\\ffmpeg-1013"), { recursive: true });
  symlinkSync("/usr/bin/ffmpeg", simulator.path("C:\\browsers\\ffmpeg-1013\\ffmpeg-linux"));
  mkdirSync(simulator.path("C:\\Temp"));
  linkPlaywright(simulator.path(`${FOLDER}\\node_modules`), "playwright-core");
  // Of the key some digits of its private half; what stands before them is the same in every key.
  const key = readFileSync(simulator.identityFile, "utf8").split("\n").at(-4) ?? "";
  const secrets = { WS_PATH, NEXT_WS_PATH, WRONG_WS_PATH, TOKEN, PASSWORD, JOB_SECRET };
  canaries = { ...secrets, "the private key": key.slice(0, 48) };
  // The worker and its kind are given them; a program that is given one by name is told from it by its own line.
  watch = new ProcessWatch((line) => line.includes("/src/bin.ts") || line.includes("vitest"));
}, 120_000);
afterAll(async () => {
  watch?.[Symbol.dispose]();
  for (const server of openServers) server.close();
  openServers = [];
  await bench?.[Symbol.asyncDispose]();
});

async function serve(server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  openServers.push(server);
  return (server.address() as AddressInfo).port;
}

/** A site that says what it was told, one page that never comes, and one that knows too much. */
function answerSite(request: http.IncomingMessage, response: http.ServerResponse): void {
  if (request.url === "/slow") return void slow++;
  if (request.url === "/title") return void response.end(`<title>ws://x:1/${wsPath} and ${wsPath}</title>`);
  response.end(JSON.stringify(request.headers));
}

function environment(changes: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    WINDLASS_PLAYWRIGHT_WS_PATH: wsPath,
    WINDLASS_HATCHET_TOKEN: TOKEN,
    WINDLASS_DB_PASSWORD: PASSWORD,
    HATCHET_CLIENT_TOKEN: TOKEN,
    JOB_SECRET,
    TMPDIR: temporary(),
    WINDLASS_TIMEOUT: "20s",
    ...changes,
  };
}

async function call(args: readonly string[], options: CallOptions = {}): Promise<Finished> {
  const finished = await bench.call(args, { ...options, env: environment(options.env) });
  printed.push({ args: args.join(" "), text: `${finished.stdout}\n${finished.stderr}` });
  return finished;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const running = bench.start(args, { env: environment(env) });
  void running.ended.then(({ stdout, stderr }) => printed.push({ args: args.join(" "), text: `${stdout}\n${stderr}` }));
  return running;
}

const stderrOf = async (...args: readonly string[]): Promise<string> => (await call(args)).stderr;
const install = () => call(["playwright", "install"]);
const health = (env: Readonly<Record<string, string>> = {}, ...flags: string[]) =>
  call(["playwright", "health", ...flags], { env });
const statusesOf = (all: readonly Finished[]) => all.map(({ status }) => status);
/** For who reads why it failed; in the order of the calls. */
const textOf = (all: readonly Finished[]) => all.map(({ stdout, stderr }) => `${stdout}${stderr}`).join("--\n");

/** Pages that were asked for and will not come. */
let slow = 0;
const slowPage = (seen: number) =>
  until(() => (slow > seen ? true : undefined), { what: "a slow page is asked for", withinMs: 60_000 });

onSimulator(
  "the browser server: installed, asked in every way that fails, and given another secret",
  { timeout: 180_000 },
  async () => {
    const { simulator } = bench;
    simulator.fail("playwright-install-secret.ps1", 1, { stderr: `cannot write '${WS_PATH}' \u001b]0;owned\u0007` });
    expect(await stderrOf("playwright", "install")).toContain("cannot write '***'");
    expect(await install()).toMatchObject({ status: 0 });
    const silent = await serve(net.createServer(() => {}));
    // It was told the path by the question, and says it wherever it can.
    const parrot = await serve(
      http.createServer(({ url = "" }, response) => {
        response.writeHead(428, { "x-path": url });
        response.end(`server version: v1.2.${url.slice(1)} ${url}`);
      }),
    );
    const direct = (port: number) => ({ WINDLASS_PLAYWRIGHT_TUNNEL: "off", WINDLASS_PLAYWRIGHT_PORT: String(port) });
    const answers = await Promise.all([
      health({}, "--json"),
      health({ DEBUG: "pw:*,*" }),
      health({ WINDLASS_PLAYWRIGHT_WS_PATH: WRONG_WS_PATH }),
      health({ WINDLASS_PLAYWRIGHT_WS_PATH: WRONG_WS_PATH }, "--json"),
      health({ WINDLASS_PLAYWRIGHT_PORT: "1" }),
      health({ ...direct(silent), WINDLASS_TIMEOUT: "1s" }),
      health(direct(parrot), "--json"),
      health({ WINDLASS_PLAYWRIGHT_WS_PATH: `${WRONG_WS_PATH}?#` }),
    ]);
    expect(statusesOf(answers), textOf(answers)).toEqual([0, 0, 3, 3, 3, 4, 3, 2]);
    wsPath = NEXT_WS_PATH;
    expect(await install()).toMatchObject({ status: 0, stdout: expect.stringContaining("changed=true") });
    expect(readFileSync(simulator.path(SECRET_FILE), "utf8")).toBe(NEXT_WS_PATH);
  },
);

onSimulator(
  "pages: open, failed, too slow, cancelled, and without their browser",
  async () => {
    const evidence = ["--screenshot", "--trace", "--video"];
    const page = (url: string, ...flags: string[]) => ["playwright", "run", "--url", url, ...flags];
    const closed = `http://127.0.0.1:${await freePort()}/`;
    const ends = await Promise.all([
      call(page(site, ...evidence, "--json")),
      call(page(closed, ...evidence, "--retries", "0")),
      call(page(`${site}slow`, "--timeout", "1s", "--retries", "0", "--trace")),
      call(page(`${site}title`)),
      call(page("file:///etc/passwd", "--json")),
    ]);
    expect(statusesOf(ends), textOf(ends)).toEqual([0, 1, 4, 0, 2]);
    const before = slow;
    const cancelled = start(page(`${site}slow`, "--trace"));
    await slowPage(before);
    cancelled.kill("SIGINT");
    expect((await cancelled.ended).status).toBe(1);
    const then = slow;
    const bereft = start(page(`${site}slow`, "--trace", "--retries", "0"));
    await slowPage(then);
    const { pid } = JSON.parse(readFileSync(bench.simulator.path(`${FOLDER}\\run\\server.json`), "utf8"));
    killBrowser(pid);
    expect((await bereft.ended).status).toBeGreaterThan(0);
  },
  180_000,
);

onSimulator(
  "settings, the doctor, the supervisor with every failpoint, commands that fail",
  async () => {
    bench.cli.write(
      "literal.json",
      JSON.stringify({ playwright: { ws_path: WRONG_WS_PATH }, hatchet: { api_token: TOKEN } }),
    );
    const literal = await bench.cli.call(["--config", join(bench.cli.path, "literal.json"), "config", "show"]);
    printed.push({ args: "config show", text: `${literal.stdout}${literal.stderr}` });
    expect(literal.status).toBe(2);
    rmSync(join(bench.cli.path, "literal.json"));
    const failpoints = ["ssh", "aloha_server", "aloha_client", "hatchet", "playwright"];
    const supervise = async () => {
      // One at a time: there is a lock.
      for (const failpoint of ["", ...failpoints]) {
        const env = failpoint === "" ? {} : { WINDLASS_SUPERVISOR_FAILPOINT: failpoint };
        const { stdout } = await call(["supervisor", "run", "--once", "--debug"], { env });
        if (failpoint !== "") expect(stdout).toContain("circuit_breaker=open");
      }
    };
    const ask = async () => {
      expect(await call(["config", "show", "--origin", "--json"])).toMatchObject({ status: 0 });
      await call(["config", "show", "--origin"]);
      await call(["doctor"]);
      await call(["doctor", "--json"]);
      const set = await call(["windows", "exec", "--", "set"]);
      expect(set.stdout).toContain("COMPUTERNAME");
      expect((await call(["windows", "exec", "--json", "--", "exit-with.exe", "7"])).status).toBe(1);
      expect((await call(["windows", "exec", "--verify", "exit 1", "--", "hostname"])).status).toBe(1);
      expect((await call(["windows", "exec", "--timeout", "1s", "--", "ping -n 60 127.0.0.1"])).status).toBe(4);
    };
    await Promise.all([supervise(), ask()]);
  },
  180_000,
);

onSimulator(
  "a worker with secrets, killed in the middle, and all that can be asked of its jobs",
  async () => {
    const secret = { $secret: "JOB_SECRET" };
    const go = join(bench.cli.path, "go");
    const script = `echo "$S"; echo "$S" | base64 >&2; env; cat /proc/self/environ; until [ -e ${go} ]; do sleep 0.05; done`;
    const tell = 'printf "%s" "$S"; exit 3';
    const jobs = [
      { type: "exec", input: { argv: ["/bin/sh", "-c", script], env: { S: secret } } },
      { type: "exec", input: { argv: ["/bin/sh", "-c", tell], env: { S: secret }, stdin: secret } },
      { type: "http.request", input: { url: site, method: "POST", headers: { "X-Key": secret }, body: secret } },
      { type: "http.request", input: { url: "http://127.0.0.1:1/", headers: { "X-Key": secret } }, retries: 0 },
      { type: "playwright.run", input: { url: `${site}title`, host: "default" } },
      { type: "windows.exec", input: { command: "echo of the worker" } },
    ];
    const stdin = jobs.map((job) => JSON.stringify(job)).join("\n");
    const stored = await call(["jobs", "enqueue", "--from-file", "-"], { stdin });
    const ids = [...stored.stdout.matchAll(/job_id=(\S+)/g)].map(([, id = ""]) => id);
    expect(ids).toHaveLength(jobs.length);
    const work = async () => {
      const worker = start(["worker", "--metrics", "--metrics-interval", "1s"]);
      await worker.says("worker started");
      return worker;
    };
    const first = await work();
    await call(["jobs", "wait", ...ids.slice(1)]);
    const running = await call(["jobs", "logs", ids[0] ?? ""]);
    expect(running.stdout).toContain("***");
    first.kill("SIGKILL");
    await first.ended;
    await Promise.all([call(["jobs", "logs", ids[0] ?? ""]), call(["jobs", "explain", ids[0] ?? "", "--json"])]);
    const second = await work();
    writeFileSync(go, "");
    await call(["jobs", "wait", ids[0] ?? ""]);
    second.kill("SIGTERM");
    await second.ended;
    const [all = ""] = ids;
    await call(["jobs", "list", "--json"]);
    await call(["jobs", "list"]);
    for (const id of ids.slice(0, 3)) await call(["jobs", "logs", id, "--json"]);
    await call(["jobs", "status", all, "--json"]);
    await call(["queue-metrics"]);
    await call(["artifacts", "fetch", all, "--out", "copied"]);
    const said = readFileSync(join(bench.cli.path, "copied", all, "exec/stdout.txt"), "utf8");
    expect(said).toMatch(/^\*\*\*\n(.*\n)*PATH=/);
    expect(said).not.toMatch(/WINDLASS_(?!ACTOR)|HATCHET|^JOB_SECRET=/m);
    expect(await call(["db", "backup", "copy.db"])).toMatchObject({ status: 0 });
    const tried = await call([
      "jobs",
      "enqueue",
      "--type",
      "windows.exec",
      "--input-json",
      '{"command":{"$secret":"JOB_SECRET"}}',
    ]);
    expect(tried.status).toBe(2);
  },
  180_000,
);

onSimulator("the scan finds what it is to find", () => {
  const folder = join(bench.cli.path, "planted");
  const scan = new CanaryScan({ planted: "CaNaRy/planted-0123456789" });
  const forms = [
    "CaNaRy/planted-0123456789",
    "canary/planted-0123456789",
    "CaNaRy%2Fplanted-0123456789",
    "CaNaRy\\planted-0123456789",
  ];
  mkdirSync(folder);
  for (const [number, text] of forms.entries()) writeFileSync(join(folder, `${number}.txt`), `before ${text} behind`);
  writeFileSync(join(folder, "b.txt"), Buffer.from(`x${forms[0]}y`).toString("base64"));
  writeFileSync(join(folder, "w.txt"), Buffer.from(`${forms[0]}`, "utf16le"));
  writeFileSync(join(folder, "p.gz"), gzipSync(`${forms[0]}`));
  expect(new Set(scan.below(folder).map(({ where }) => where.slice(folder.length + 1)))).toEqual(
    new Set(["0.txt", "1.txt", "2.txt", "3.txt", "b.txt", "w.txt", "p.gz!"]),
  );
  rmSync(folder, { recursive: true });
  // It looked where it had to look: into the trace, and at the programs that were started.
  const traces = filesBelow(join(bench.cli.path, "kept")).filter((path) => path.endsWith("trace.zip"));
  expect(new CanaryScan({ site }).below(join(bench.cli.path, "kept")).map(({ where }) => where)).toEqual(
    expect.arrayContaining([expect.stringMatching(/trace\.zip!/)]),
  );
  expect(traces.length).toBeGreaterThan(1);
  const lines = watch.commandLines.join("\n");
  for (const program of ["ssh -o", "sftp -q", "launch-server.js", "chromium"]) expect(lines).toContain(program);
  expect(lines).toMatch(/src\/bin\.ts .*\bworker --metrics/);
});

onSimulator("no secret stands in what was printed", () => {
  const scan = new CanaryScan(canaries);
  expect(printed.length).toBeGreaterThan(40);
  expect(printed.flatMap(({ args, text }) => scan.in(args, text))).toEqual([]);
});

onSimulator("no secret stands in any file of the project, nor among temporary files", () => {
  const scan = new CanaryScan(canaries);
  expect(scan.below(bench.cli.path)).toEqual([]);
  // Of the worker that was killed these stay; ssh writes them.
  const ofSsh = /\/windlass-ssh-call-\w+\/(diagnostics|ssh\.sh)$/;
  expect(filesBelow(temporary()).filter((path) => !ofSsh.test(path))).toEqual([]);
});

onSimulator("on the machine it stands in the one file that is for it, and in no record of what happened", () => {
  const scan = new CanaryScan(canaries);
  const { simulator } = bench;
  const found = scan.below(simulator.root, (path) => path.includes("node_modules"));
  expect(new Set(found.map(({ where }) => where))).toEqual(new Set([simulator.path(SECRET_FILE)]));
  // But for the failure that the test itself ordered.
  const events = simulator.events().filter(({ subject }) => subject !== "playwright-install-secret.ps1");
  expect(scan.in("the events", JSON.stringify(events))).toEqual([]);
  expect(scan.in("the log of sshd", simulator.ssh.log())).toEqual([]);
});

onSimulator("no secret stood in the arguments of a process, nor in the environment of one that is none of ours", () => {
  const { JOB_SECRET: _given, ...others } = canaries;
  expect(watch.finds(new CanaryScan(others))).toEqual([]);
  const inArguments = watch.finds(new CanaryScan(canaries)).filter(({ where }) => where.startsWith("arguments"));
  expect(inArguments).toEqual([]);
});

onSimulator("what was written is for its owner alone", () => {
  const written = [".windlass", "kept", "windlass-ssh", "tmp"]
    .map((name) => join(bench.cli.path, name))
    .filter(existsSync);
  expect(written).toHaveLength(4);
  expect(written.flatMap(openToOthers)).toEqual([]);
});
