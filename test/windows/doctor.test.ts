import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ActionServer, script, startActionServer } from "../support/aloha-stand-in/action-server.ts";
import { type AlohaClientStandIn, startClient } from "../support/aloha-stand-in/client.ts";
import { CliFolder } from "../support/cli.ts";
import { lineOf, statesOf } from "../support/doctor-lines.ts";
import { needs } from "../support/system.ts";
import { isIntegration, WindowsBench, type WindowsBenchOptions } from "../support/windows-bench.ts";
import { findPwsh } from "../support/windows-simulator/powershell/real.ts";
import { startSshServer } from "../support/windows-simulator/ssh-server.ts";

needs("ssh", "sshd");

/** What they change about a machine is what only the simulator allows. */
const onSimulator = test.skipIf(isIntegration);

/** A real PowerShell tells the names of the system that it really runs on. */
const hasPwsh = findPwsh() !== undefined;
const COMPUTER = hasPwsh ? hostname().replace(/\..*/, "") : "WINSIM";

class DoctorBench implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  windows!: WindowsBench;
  server!: ActionServer;
  client!: AlohaClientStandIn;

  /** A machine on which all of Aloha is as it should be. */
  static async open({ config = {}, ...options }: WindowsBenchOptions = {}): Promise<DoctorBench> {
    const bench = new DoctorBench();
    bench.server = await startActionServer({ model: script("STOP") });
    bench.#stack.defer(() => bench.server.stop());
    const folder = bench.#stack.use(new CliFolder());
    bench.client = await startClient({ wait: async () => {}, logPath: join(folder.path, "client.log") });
    bench.#stack.defer(() => bench.client.stop());
    const aloha = { server_url: bench.server.url, client_url: bench.client.url };
    bench.windows = bench.#stack.use(await WindowsBench.open({ config: { aloha, ...config }, ...options }));
    for (const port of [7_887, 7_888]) {
      bench.machine.firewall({ name: `Aloha-${port}`, localPort: port });
      bench.machine.listen(port, { image: "python.exe", pid: port });
    }
    return bench;
  }

  get machine() {
    return this.windows.simulator;
  }

  doctor(...flags: readonly string[]) {
    return this.windows.call(["doctor", ...flags]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

const SOUND = {
  ...{ ssh: "ok", powershell: "ok", host_clock: "ok", desktop: "ok", firewall: "ok", ports: "ok" },
  ...{ aloha_server: "ok", aloha_client: "ok", playwright: "not_configured", playwright_leak: "not_configured" },
};

onSimulator("a machine that is as it should be is found so by every line", async () => {
  await using bench = await DoctorBench.open();
  const done = await bench.doctor();
  expect([done.status, statesOf(done, "default")]).toEqual([0, SOUND]);
  expect(lineOf(done, "ssh")["detail"]).toMatch(
    /^\S+@127\.0\.0\.1 port \d+ in \d+ ms, client OpenSSH_\S+, server OpenSSH_\S+$/,
  );
  expect(lineOf(done, "powershell")["detail"]).toContain(
    `, elevated on ${COMPUTER}: Microsoft Windows 10 Pro 10.0.19045, code page 437`,
  );
  expect(lineOf(done, "ports")["detail"]).toContain("7887: python.exe (process 7887) at 127.0.0.1");
  expect(done.stdout).toContain("\nhatchet_sdk_version=unknown\ndoctor=ok\n");
  // What is not configured counts where somebody is strict.
  expect((await bench.doctor("--strict")).status).toBe(1);
  const { value } = await bench.windows.json<{ checks: Record<string, unknown>[] }>(["doctor"]);
  expect(value).toMatchObject({ state: "ok", plan: [], repairs: [] });
  expect(value.checks.find(({ name }) => name === "powershell")).toMatchObject({
    ...{ name: "powershell", host: "default", state: "ok", remedy: null },
    facts: { computer: COMPUTER, os_build: "10.0.19045", code_page: 437, openssh: expect.stringContaining("OpenSSH") },
  });
  expect(value.checks.find(({ name }) => name === "job_backend")).toMatchObject({ host: null });
});

onSimulator("a desktop that Aloha cannot act on is a failure, each with what to do", async () => {
  await using bench = await DoctorBench.open();
  bench.machine.lock();
  const locked = await bench.doctor();
  expect([locked.status, lineOf(locked, "desktop")]).toMatchObject([
    1,
    {
      state: "fail",
      detail: "the desktop is locked: session 1 of operator",
      remedy: expect.stringContaining("unlock it"),
    },
  ]);
  bench.machine.unlock();
  bench.machine.disconnect();
  const gone = await bench.doctor();
  expect([gone.status, lineOf(gone, "desktop")["remedy"]]).toEqual([
    1,
    expect.stringContaining("tscon 1 /dest:console"),
  ]);
  bench.machine.noSession();
  const nobody = await bench.doctor();
  expect([nobody.status, lineOf(nobody, "desktop")["detail"]]).toEqual([1, "nobody is logged on at the desktop"]);
});

onSimulator("firewall rules are only looked at; --fix says first what it makes, and makes that", async () => {
  await using bench = await DoctorBench.open();
  const { machine } = bench.machine;
  machine.removeFirewallRule("Aloha-7887");
  machine.putFirewallRule({ name: "Aloha-7888", localPort: 7_888, enabled: false });
  const changes = () => machine.events("firewall.put").length;
  const before = changes();
  const found = await bench.doctor();
  expect([found.status, changes()]).toEqual([0, before]);
  expect(lineOf(found, "firewall")).toMatchObject({
    state: "warn",
    detail: "Aloha-7887 is missing, Aloha-7888 is disabled",
    remedy: expect.stringContaining("New-NetFirewallRule -Name Aloha-7887 -DisplayName Aloha-7887 "),
  });
  expect((await bench.doctor("--strict")).status).toBe(1);
  const fixed = await bench.doctor("--fix");
  const [make, enable] = ["New-NetFirewallRule -Name Aloha-7887 -Disp", "Set-NetFirewallRule -Name Aloha-7888 -Dir"];
  const lines = fixed.stdout.split("\n");
  for (const [at, start] of [
    [0, `plan="on default: ${make}`],
    [1, `plan="on default: ${enable}`],
    [2, `repair="on default: ${make}`],
    [3, `repair="on default: ${enable}`],
  ] as const)
    expect(lines[at]?.slice(0, start.length)).toBe(start);
  expect([fixed.status, lineOf(fixed, "firewall")["state"]]).toEqual([0, "ok"]);
  expect(machine.firewallRules.filter(({ name }) => name.startsWith("Aloha"))).toMatchObject([
    { name: "Aloha-7887", localPort: 7_887, enabled: true, remoteAddress: "LocalSubnet" },
    { name: "Aloha-7888", localPort: 7_888, enabled: true },
  ]);
  const after = changes();
  expect((await bench.doctor("--fix")).stdout).not.toContain("repair=");
  expect(changes()).toBe(after);
});

onSimulator("a part of Aloha that is down is exit 3, and the machine says what to do", async () => {
  await using bench = await DoctorBench.open();
  await bench.client.stop();
  bench.machine.machine.removeListener(7_888);
  const done = await bench.doctor();
  expect([done.status, statesOf(done, "default")]).toEqual([
    3,
    { ...SOUND, ports: "unreachable", aloha_client: "unreachable" },
  ]);
  expect(lineOf(done, "aloha_client")).toMatchObject({
    detail: expect.stringContaining("ECONNREFUSED"),
    remedy: expect.stringContaining(
      'nobody listens on port 7888 of the machine: `schtasks /Run /TN "WinAutomation-Aloha"`',
    ),
  });
});

onSimulator("what is not Aloha is a failure", async () => {
  await using bench = await DoctorBench.open();
  // Each answers the other's question otherwise.
  const env = { WINDLASS_ALOHA_SERVER_URL: bench.client.url };
  const done = await bench.windows.call(["doctor"], { env });
  expect(done.status).toBe(1);
  expect(lineOf(done, "aloha_server")).toMatchObject({
    state: "fail",
    remedy: expect.stringContaining("correct aloha.server_url"),
  });
});

onSimulator("a machine's clock that is wrong is worth a look", async ({ skip }) => {
  if (hasPwsh) skip("a real PowerShell tells the time of the system that it really runs on");
  await using bench = await DoctorBench.open({ clockAheadMs: 3_600_000 });
  const done = await bench.doctor();
  expect(done.status).toBe(0);
  expect(lineOf(done, "host_clock")).toMatchObject({
    state: "warn",
    detail: expect.stringMatching(/^the machine's clock is 1h.* ahead of this one$/),
    remedy: expect.stringContaining("w32tm /resync"),
  });
});

onSimulator("without SSH what stands behind it is not asked, and what does not is", async () => {
  await using bench = await DoctorBench.open();
  const down = "unreachable";
  const behind = { ssh: down, powershell: down, host_clock: down, desktop: down, firewall: down, ports: down };
  const isDown = { ...SOUND, ...behind };
  const env = { WINDLASS_WINDOWS_SSH_PORT: "1" };
  const refused = await bench.windows.call(["doctor"], { env });
  expect([refused.status, statesOf(refused, "default")]).toEqual([3, isDown]);
  expect(lineOf(refused, "ssh")).toMatchObject({
    detail: expect.stringContaining("Connection refused"),
    remedy: expect.stringContaining("Start-Service sshd"),
  });
  expect(lineOf(refused, "powershell")).toMatchObject({
    detail: "not asked: ssh is down",
    remedy: "see that line first",
  });
  const wrong = join(bench.windows.cli.path, "wrong");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", wrong]);
  const auth = await bench.windows.call(["doctor"], { env: { WINDLASS_WINDOWS_SSH_IDENTITY_FILE: wrong } });
  expect([auth.status, lineOf(auth, "ssh")["remedy"]]).toEqual([3, expect.stringContaining(`put ${wrong}.pub into`)]);
  await bench.machine.changeHostKey();
  bench.machine.cutConnections();
  const key = await bench.doctor();
  expect([key.status, lineOf(key, "ssh")["remedy"]]).toEqual([
    3,
    expect.stringContaining("ssh-keyscan -t ed25519 -p "),
  ]);
  const noClient = await bench.windows.call(["doctor"], { env: { PATH: bench.windows.cli.path } });
  expect([noClient.status, lineOf(noClient, "ssh")["remedy"]]).toEqual([3, expect.stringContaining("openssh-client")]);
});

onSimulator("a PowerShell that does not start, and a question that fails, are findings of their own", async () => {
  await using bench = await DoctorBench.open();
  bench.machine.fail("tell-host.ps1", 1, { stderr: "WMI is broken" });
  const failed = await bench.doctor();
  expect([failed.status, statesOf(failed, "default")]).toEqual([1, { ...SOUND, powershell: "fail" }]);
  expect(lineOf(failed, "powershell")["detail"]).toContain("WMI is broken");
  bench.machine.fail("powershell.exe", 1, { stderr: "no such snap-in", times: 9 });
  const none = await bench.doctor();
  expect(none.status).toBe(3);
  expect(lineOf(none, "powershell")).toMatchObject({
    state: "unreachable",
    detail: expect.stringContaining("no such snap-in"),
    remedy: expect.stringContaining("DefaultShell"),
  });
  expect(lineOf(none, "desktop")["detail"]).toBe("not asked: powershell does not answer");
  expect(lineOf(none, "aloha_server")["state"]).toBe("ok");
});

onSimulator(
  "machines are asked side by side: those that hang cost the time limit once and hold up no other",
  async () => {
    // Takes the connection and says nothing.
    const silent = createServer().listen(0, "127.0.0.1");
    await using _closed = { [Symbol.asyncDispose]: async () => void silent.close() };
    // Lets in, and never starts anything.
    const stuck = await startSshServer({ forceCommand: "exec sleep 60" });
    await using _stopped = { [Symbol.asyncDispose]: () => stuck.stop() };
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const login = { ssh_user: stuck.user, ssh_identity_file: stuck.identityFile, ssh_known_hosts: stuck.knownHosts };
    const hosts = {
      silent: { ssh_host: "127.0.0.1", ssh_port: port, ssh_user: "nobody" },
      stuck: { ssh_host: "127.0.0.1", ssh_port: stuck.port, ...login },
    };
    await using bench = await DoctorBench.open({ config: { hosts } });
    const startedMs = performance.now();
    const done = await bench.windows.call(["doctor"], { env: { WINDLASS_TIMEOUT: "5s" } });
    // Twice the limit is more than the start of the program and the end of what it started take on a busy machine.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(done.status).toBe(3);
    expect(statesOf(done, "default")["powershell"]).toBe("ok");
    expect(lineOf(done, "ssh", "silent")).toMatchObject({
      state: "unreachable",
      detail: expect.stringContaining("TIMEOUT"),
    });
    expect(lineOf(done, "ssh", "stuck")["state"]).toBe("ok");
    expect(lineOf(done, "powershell", "stuck")).toMatchObject({
      state: "unreachable",
      detail: "TIMEOUT: stuck was asked for 5000 ms, and no longer",
    });
    expect(lineOf(done, "aloha_server", "silent")["state"]).toBe("not_configured");
  },
);

onSimulator("a second machine that is not there leaves the lines of the first", async () => {
  await using bench = await DoctorBench.open({ config: { hosts: { lab: { ssh_host: "127.0.0.1", ssh_port: 1 } } } });
  const { status, value } = await bench.windows.json<{ error: string }>(["doctor"]);
  expect([status, value]).toMatchObject([3, { state: "unreachable", code: "HOST_UNREACHABLE" }]);
  expect(value.error).toContain("ssh of lab: HOST_UNREACHABLE");
  expect(value.error).not.toContain("default");
});
