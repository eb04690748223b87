import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { CliFolder, type Finished, pairsOf } from "../support/cli.ts";
import { needs } from "../support/system.ts";

needs("ssh");

/** Nobody listens there, and ssh is told so at once. */
const NO_SSH = { WINDLASS_WINDOWS_SSH_HOST: "127.0.0.1", WINDLASS_WINDOWS_SSH_PORT: "1", WINDLASS_TIMEOUT: "1s" };

const linesOf = ({ stdout }: Finished) => stdout.trim().split("\n").map(pairsOf);

test("a failpoint opens the breaker in one pass, on standard output, and is logged", async () => {
  await using folder = new CliFolder();
  const env = { ...NO_SSH, WIN_AUTOMATION_SUPERVISOR_FAILPOINT: "aloha_server" };
  const done = await folder.call(["supervisor", "run", "--once", "--debug"], { env });
  expect(done.status).toBe(3);
  const lines = linesOf(done);
  expect(lines.find(({ component }) => component === "aloha_server")).toMatchObject({
    state: "failed",
    circuit_breaker: "open",
    failures: "3",
    remedy: "firewall_rule,start_cmd",
  });
  expect(lines.at(-1)).toMatchObject({
    state: "ssh_down",
    ssh: "failed",
    aloha_server: "failed",
    circuit_breaker: "open",
  });
  const logged = done.stderr.split("\n").filter((line) => line.includes("failpoint=aloha_server"));
  expect(logged).toHaveLength(3);
  expect(done.stderr).toMatch(/component=supervisor op=supervisor.run .*state=skipped/);
});

test("what one process saw the next one knows: the third failure opens, and the fourth does not even ask", async () => {
  await using folder = new CliFolder();
  const env = { ...NO_SSH, WINDLASS_SUPERVISOR_FAILPOINT: "playwright" };
  await folder.call(["supervisor", "run", "--once"], { env });
  const { status, value } = await folder.json(["supervisor", "run", "--once"], { env: NO_SSH });
  expect(status).toBe(3);
  expect(value).toMatchObject({ state: "ssh_down", circuit_breaker: "closed", code: "HOST_UNREACHABLE" });
  const [host] = value["hosts"] as { checks: Record<string, unknown>[] }[];
  // Not configured without the failpoint; what SSH did is remembered.
  expect(host?.checks.map(({ component, state, failures }) => [component, state, failures])).toEqual([
    ["ssh", "failed", 2],
    ["aloha_server", "not_configured", 0],
    ["aloha_client", "not_configured", 0],
    ["backend", "not_configured", 0],
    ["playwright", "not_configured", 0],
  ]);
  const third = await folder.call(["supervisor", "run", "--once"], { env: NO_SSH });
  expect(linesOf(third)[0]).toMatchObject({ component: "ssh", failures: "3", circuit_breaker: "open" });
  const fourth = linesOf(await folder.call(["supervisor", "run", "--once"], { env: NO_SSH }));
  expect(fourth[0]).toMatchObject({ component: "ssh", failures: "3", circuit_breaker: "open" });
  expect(fourth[0]?.["detail"]).toMatch(/^left alone until /);
  expect(fourth.at(-1)).toMatchObject({ circuit_breaker: "open" });
});

test("one supervises at a time; a killed one leaves the place free at once", async () => {
  await using folder = new CliFolder();
  const start = () => folder.start(["supervisor", "run", "--interval", "1s"], { env: NO_SSH });
  const first = start();
  await first.says("supervisor started");
  const pid = /supervisor started" .*pid=(\d+)/.exec(first.stderr)?.[1];
  const second = await folder.call(["supervisor", "run", "--once"], { env: NO_SSH });
  expect(second.status).toBe(1);
  expect(second.stdout).toBe("");
  expect(second.stderr).toContain(`SUPERVISOR_RUNNING: process ${pid} supervises already`);
  first.kill("SIGKILL");
  await first.ended;
  const third = start();
  await third.says("state=ssh_down");
  third.kill("SIGTERM");
  const { status, stdout, stderr } = await third.ended;
  expect(status).toBe(0);
  expect(stderr).toContain("supervisor stops after the step that runs");
  expect(stderr).toContain('msg="supervisor stopped"');
  expect(stdout.endsWith("\n")).toBe(true);
});

test("a second signal ends a supervisor at once", async () => {
  await using folder = new CliFolder();
  await using silent = await serve(() => undefined);
  // Something that takes the connection and says nothing: ssh waits for its greeting.
  const env = { ...NO_SSH, WINDLASS_WINDOWS_SSH_PORT: String(silent.port), WINDLASS_TIMEOUT: "20s" };
  const supervisor = folder.start(["supervisor", "run"], { env });
  await supervisor.says("supervisor started");
  supervisor.kill("SIGINT");
  await supervisor.says("supervisor stops");
  supervisor.kill("SIGINT");
  expect((await supervisor.ended).status).toBe(130);
});

test("a host that nobody configured, and an interval that is none, are usage errors", async () => {
  await using folder = new CliFolder();
  const host = await folder.call(["supervisor", "run", "--once", "--host", "lab1"], { env: NO_SSH });
  expect([host.status, host.stderr]).toEqual([2, expect.stringContaining("UNKNOWN_HOST: there is no host")]);
  const interval = await folder.call(["supervisor", "run", "--interval", "soon"], { env: NO_SSH });
  expect([interval.status, interval.stderr]).toEqual([2, expect.stringContaining("--interval")]);
});

interface Served extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** A server that answers every request with this status; without one it never answers. */
async function serve(statusOf: () => number | undefined): Promise<Served> {
  const server: Server = createServer((_, response) => {
    const status = statusOf();
    if (status !== undefined) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
