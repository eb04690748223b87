import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { needs } from "../support/system.ts";
import { until } from "../support/until.ts";
import { hasTestTools, isIntegration, WindowsBench, type WindowsBenchOptions } from "../support/windows-bench.ts";

needs("ssh", "sshd");

let benches: WindowsBench[] = [];
afterEach(async () => {
  for (const bench of benches) await bench[Symbol.asyncDispose]();
  benches = [];
});

async function open(options?: WindowsBenchOptions): Promise<WindowsBench> {
  const bench = await WindowsBench.open(options);
  benches.push(bench);
  return bench;
}

const idOf = (text: string): string => /job_id=([0-9a-f-]{36})/.exec(text)?.[1] ?? "";
/** Cutting lines, changing keys and counting processes is what only the simulator allows. */
const onSimulator = test.skipIf(isIntegration);

onSimulator(
  "a connection that is cut in mid-command: unknown, exit 1, never run twice, and nothing is left running",
  async () => {
    const bench = await open();
    const running = bench.start(["windows", "exec", "--retries", "3", "--", "ping -n 60 127.0.0.1"]);
    await until(() => bench.simulator.processes("ping.exe")[0], { what: "ping runs" });
    bench.simulator.cutConnections();
    const { status, stdout, stderr } = await running.ended;
    expect(stdout).toContain("state=unknown");
    expect(stderr).toContain("OUTCOME_UNKNOWN");
    expect(status).toBe(1);
    await until(() => (bench.simulator.processes("ping.exe").length === 0 ? true : undefined), { what: "ping ended" });
    const lines = bench.simulator.events("program.started", "cmd.exe").map(({ detail }) => JSON.stringify(detail));
    expect(lines.filter((line) => line.includes("ping -n 60"))).toHaveLength(1);
  },
);

onSimulator(
  "a cut connection with a check that can tell: it is asked, and the command is given again only where it was not done",
  async () => {
    const bench = await open();
    const flags = ["--idempotent-check", "if (Test-Path 'C:\\done.txt') { exit 0 } else { exit 1 }"];
    const running = bench.start(["windows", "exec", ...flags, "--", "ping -n 60 127.0.0.1"], {
      env: { WINDLASS_JOB_RETRY_BACKOFF: "1s" },
    });
    await until(() => bench.simulator.processes("ping.exe")[0], { what: "ping runs" });
    bench.simulator.putFile("C:\\done.txt", "x");
    bench.simulator.cutConnections();
    expect(await running.ended).toMatchObject({ status: 0, stdout: expect.stringContaining("state=skipped") });
  },
);

onSimulator(
  "several machines at once: a line for each, the worst exit status, and a label stands for all that have it",
  async () => {
    const bench = await open();
    const block = bench.simulator.config();
    const hosts = {
      lab1: { ...block, labels: { site: "north" } },
      lab2: { ...block, labels: { site: "north" } },
      gone: { ...block, ssh_port: 1 },
    };
    const config = bench.cli.write("hosts.json", JSON.stringify({ windows: block, hosts, timeout: "3s" }));
    const exec = (...args: readonly string[]) =>
      bench.cli.call(["--config", config, "windows", "exec", ...args, "--", "echo here"], {
        env: { XDG_RUNTIME_DIR: bench.cli.path },
      });
    const [north, all] = await Promise.all([exec("--hosts", "site=north"), exec("--hosts", "lab1,gone")]);
    expect(north.stdout).toMatch(/^host=lab1 stdout=here .*state=completed job_id=\S+\nhost=lab2 stdout=here /);
    expect(north.status).toBe(0);
    expect(all.stdout).toMatch(/^host=lab1 .*state=completed .*\nhost=gone .*state=failed /);
    expect(all.status).toBe(3);
  },
);

onSimulator("a machine with another host key is not trusted, and not tried again: exit 3", async () => {
  const bench = await open();
  await bench.simulator.changeHostKey();
  const refused = await bench.call(["windows", "exec", "--", "hostname"]);
  expect(refused).toMatchObject({ status: 3, stdout: expect.stringContaining("state=failed") });
  expect(refused.stderr).toContain("SSH_HOST_KEY");
});

onSimulator("a wrong key is refused once, because accounts are locked by less: exit 3", async () => {
  const bench = await open();
  const refused = await bench.call(["windows", "exec", "--", "hostname"], {
    env: { WINDLASS_WINDOWS_SSH_IDENTITY_FILE: bench.simulator.ssh.hostKeyFile },
  });
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain("SSH_AUTH_REFUSED");
  expect(bench.simulator.ssh.log().match(/Connection from/g)?.length ?? bench.simulator.ssh.log()).toBe(1);
});

test("nobody listens: exit 3 after three attempts; a server that says nothing: exit 4", async () => {
  const bench = await open();
  await using silent = await listenSilently();
  const call = (port: number) =>
    bench.call(["windows", "exec", "--", "hostname"], {
      env: { WINDLASS_WINDOWS_SSH_HOST: "127.0.0.1", WINDLASS_WINDOWS_SSH_PORT: String(port), WINDLASS_TIMEOUT: "2s" },
    });
  const [nobody, mute] = await Promise.all([call(1), call(silent.port)]);
  expect(nobody).toMatchObject({ status: 3, stderr: expect.stringContaining("HOST_UNREACHABLE") });
  expect(mute).toMatchObject({ status: 4, stderr: expect.stringContaining("TIMEOUT") });
});

test("50 MB of output arrive byte for byte", async () => {
  const bench = await open();
  const program = hasTestTools ? ["spew.exe", "52428800"] : ["powershell", "-c", "'x' * 52428800"];
  const { value } = await bench.json<Record<string, string>>(["windows", "exec", "--", ...program]);
  const { stdout_sha256, stdout_bytes } = (value as { result?: Record<string, unknown> }).result ?? {};
  const list = await bench.json<{ root: string }>(["artifacts", "list", value["job_id"] ?? ""]);
  const kept = readFileSync(join(list.value.root, "ssh/stdout.txt"));
  expect(kept.length).toBe(stdout_bytes);
  expect(kept.length).toBeGreaterThanOrEqual(52_428_800);
  expect(createHash("sha256").update(kept).digest("hex")).toBe(stdout_sha256);
  expect(value["stdout"]?.length).toBeLessThanOrEqual(65_536);
});

test("output of any script arrives as UTF-8", async () => {
  const bench = await open();
  const text = "héllo wörld ✓ 漢字 🚀";
  const program = hasTestTools ? ["argv-echo.exe", text] : ["powershell", "-c", `'${text}'`];
  const { value } = await bench.json<Record<string, string>>(["windows", "exec", "--", ...program]);
  expect(value["stdout"]).toContain(text);
});

onSimulator("20 jobs on one connection with four sessions: each has its own output, eight run at once", async () => {
  const bench = await open({ maxSessions: 4 });
  const worker = await bench.worker(["--concurrency", "20"]);
  const lines = Array.from({ length: 20 }, (_, number) =>
    JSON.stringify({ type: "windows.exec", input: { command: ["argv-echo.exe", `job ${number}`] } }),
  );
  const stored = await bench.call(["jobs", "enqueue", "--from-file", "-"], { stdin: lines.join("\n") });
  const ids = [...stored.stdout.matchAll(/job_id=(\S+)/g)].map(([, id = ""]) => id);
  expect((await bench.call(["jobs", "wait", ...ids])).status).toBe(0);
  for (const [number, id] of ids.entries()) {
    const { value } = await bench.json<{ root: string }>(["artifacts", "list", id]);
    expect(readFileSync(join(value.root, "ssh/stdout.txt"), "utf8")).toContain(`job ${number}`);
  }
  worker.kill("SIGTERM");
  await worker.ended;
});

onSimulator(
  "a worker killed in mid-command: the command ends with it; without a check the next one says unknown, with one it goes on",
  async () => {
    const bench = await open();
    const temporary = join(bench.cli.path, "temporary");
    mkdirSync(temporary);
    const env = { WINDLASS_WORKER_LEASE: "2s", TMPDIR: temporary };
    const first = await bench.worker([], { env });
    const enqueue = async (...flags: readonly string[]) =>
      idOf((await bench.call(["windows", "exec", "--async", ...flags, "--", "ping -n 60 127.0.0.1"])).stdout);
    const blind = await enqueue();
    const seeing = await enqueue("--idempotent-check", "if (Test-Path 'C:\\done.txt') { exit 0 } else { exit 1 }");
    await until(() => (bench.simulator.processes("ping.exe").length === 2 ? true : undefined), { what: "both run" });
    bench.simulator.putFile("C:\\done.txt", "x");
    first.kill("SIGKILL");
    await first.ended;
    await until(() => (bench.simulator.processes("ping.exe").length === 0 ? true : undefined), { what: "both ended" });
    const left = readdirSync(temporary).filter((name) => name.startsWith("windlass-ssh-call-"));
    expect(left).not.toEqual([]);
    const second = await bench.worker([], { env });
    expect(readdirSync(temporary).filter((name) => left.includes(name))).toEqual([]);
    expect((await bench.call(["jobs", "wait", blind, seeing])).status).toBe(1);
    expect((await bench.json(["jobs", "status", blind])).value).toMatchObject({ state: "failed", outcome: "unknown" });
    expect((await bench.json(["jobs", "status", seeing])).value).toMatchObject({
      state: "completed",
      outcome: "skipped",
    });
    second.kill("SIGTERM");
    await second.ended;
  },
);

test("cancel ends the command and what it started", async () => {
  const bench = await open();
  const worker = await bench.worker();
  const stored = await bench.call(["jobs", "enqueue", "--type", "windows.exec", "--cmd", "ping -n 60 127.0.0.1"]);
  const id = idOf(stored.stdout);
  if (isIntegration) await worker.says("job claimed");
  else await until(() => bench.simulator.processes("ping.exe")[0], { what: "ping runs" });
  const cancelled = await bench.call(["jobs", "cancel", id]);
  expect(cancelled).toMatchObject({ status: 0, stdout: expect.stringContaining("state=cancelled") });
  const { value } = await bench.json<{ error: string }>(["jobs", "status", id]);
  expect(value).toMatchObject({ state: "cancelled" });
  if (!isIntegration) expect(bench.simulator.processes("ping.exe")).toEqual([]);
  worker.kill("SIGTERM");
  await worker.ended;
});

async function listenSilently(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { readonly port: number };
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}
