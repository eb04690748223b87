import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { afterEach, expect, vi } from "vitest";
import { loginsOf, masterOf, outcomeOf, testWithSsh as test } from "../../../test/support/ssh-bench.ts";
import { needs } from "../../../test/support/system.ts";
import { until } from "../../../test/support/until.ts";

needs("sshd");

afterEach(() => void vi.unstubAllEnvs());

test("twenty parallel starts share one login", async ({ lab }) => {
  const server = await lab.serve({ maxSessions: 30 });
  const connection = lab.connect(server);
  const starts = Array.from({ length: 20 }, async (_, index) =>
    outcomeOf(await connection.start(`echo ${index}`, lab)),
  );
  const outcomes = await Promise.all(starts);
  expect(outcomes.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 20 }, (_, index) => `${index}\n`));
  expect(outcomes.every(({ code, failure }) => code === 0 && failure === undefined)).toBe(true);
  expect(loginsOf(server)).toBe(1);
});

test("two connections of one account share the login; other keys or known hosts do not", async ({ lab }) => {
  const server = await lab.serve();
  await lab.connect(server).connect(lab);
  await lab.connect(server, { name: "by another name" }).connect(lab);
  expect(loginsOf(server)).toBe(1);
  const stranger = lab.connect(server, { sshKnownHosts: join(lab.folder, "none") });
  await expect(stranger.connect(lab)).rejects.toMatchObject({ code: "SSH_HOST_KEY" });
});

test("exit codes arrive as they are, and 255 is the command's own", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  for (const code of [0, 1, 7, 254, 255]) {
    const end = await outcomeOf(await connection.start(`exit ${code}`, lab));
    expect(end).toMatchObject({ code, signal: null, failure: undefined, diagnostics: "" });
  }
});

test("a command that writes ssh's own words and exits with 255 is no lost connection", async ({ lab }) => {
  const words = [
    "ssh: connect to host 127.0.0.1 port 22: Connection refused",
    "Connection to 127.0.0.1 closed by remote host.",
    "root@127.0.0.1: Permission denied (publickey).",
    "debug1: clientloop.c:client_loop():1531 (pid=1): Exit status 0",
    "kex_exchange_identification: Connection closed by remote host",
  ].join("\n");
  const connection = lab.connect(await lab.serve());
  const end = await outcomeOf(await connection.start(`echo '${words}' >&2; exit 255`, lab));
  expect(end).toMatchObject({ code: 255, failure: undefined, stderr: `${words}\n` });
});

test("stdout and stderr stay apart, byte by byte", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const running = await connection.start(`printf 'a\\000\\377\\r\\n'; printf 'b\\r' >&2; printf c`, lab);
  running.stdin.end();
  const [stdout, stderr] = await Promise.all([buffer(running.stdout), buffer(running.stderr)]);
  expect([...stdout]).toEqual([0x61, 0, 0xff, 0x0d, 0x0a, 0x63]);
  expect(stderr.toString()).toBe("b\r");
});

test("50 MB go there and come back unchanged", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const running = await connection.start("cat", lab);
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  running.stdout.on("data", (chunk: Buffer) => received.update(chunk));
  for (let index = 0; index < 50; index++) {
    const chunk = Buffer.alloc(1_048_576, index);
    sent.update(chunk);
    if (!running.stdin.write(chunk)) await once(running.stdin, "drain");
  }
  running.stdin.end();
  await once(running.stdout, "end");
  expect(await running.ended).toMatchObject({ code: 0 });
  expect(received.digest("hex")).toBe(sent.digest("hex"));
});

test("the end of the input reaches the command", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const running = await connection.start("read a; read b; echo $a-$b; cat >/dev/null; exit 3", lab);
  running.stdin.write("1\n2\n");
  await expect(once(running.stdout, "data")).resolves.toEqual([Buffer.from("1-2\n")]);
  running.stdin.end();
  expect(await running.ended).toMatchObject({ code: 3 });
});

test("a kill ends the local ssh, and the command's input with it", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const done = join(lab.folder, "done");
  const running = await connection.start(`echo ready; cat; touch ${done}`, lab);
  await once(running.stdout, "data");
  running.kill();
  running.kill();
  expect(await running.ended).toMatchObject({ code: null, signal: "SIGTERM", failure: undefined });
  await until(() => (existsSync(done) ? true : undefined), { what: "the command saw the end of its input" });
  expect(await outcomeOf(await connection.start("echo on", lab))).toMatchObject({ code: 0, stdout: "on\n" });
});

test("a stopped ssh is killed after the grace", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const running = await connection.start("echo ready; cat", lab);
  await once(running.stdout, "data");
  process.kill(running.pid, "SIGSTOP");
  await until(() => (/^State:\s+T/m.test(readFileSync(`/proc/${running.pid}/status`, "utf8")) ? true : undefined), {
    what: "the local ssh is stopped",
  });
  running.kill();
  expect(await running.ended).toMatchObject({ code: null, signal: "SIGKILL" });
});

test("a command that a signal ended has no status, and the connection goes on", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const end = await outcomeOf(await connection.start("kill -9 $$", lab));
  expect(end).toMatchObject({ code: null, failure: { kind: "no_status", beganSession: true, transient: false } });
});

test("a connection that is cut in the middle of a command says so, and the next one is a new login", async ({
  lab,
}) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  const running = await connection.start("echo ready; cat", lab);
  await once(running.stdout, "data");
  expect(server.cutConnections()).toBeGreaterThan(0);
  expect(await running.ended).toMatchObject({ code: null, failure: { kind: "cut", beganSession: true } });
  expect(await outcomeOf(await connection.start("echo again", lab))).toMatchObject({ code: 0, stdout: "again\n" });
  expect(loginsOf(server)).toBe(2);
});

test("more sessions than the server gives to one connection all succeed", async ({ lab }) => {
  const server = await lab.serve({ maxSessions: 4 });
  const connection = lab.connect(server);
  const starts = Array.from({ length: 20 }, async (_, index) =>
    outcomeOf(await connection.start(`echo ${index}; sleep 0.2; exit ${index}`, lab)),
  );
  const outcomes = await Promise.all(starts);
  expect(outcomes.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(outcomes.map(({ stderr }) => stderr).join("")).toBe("");
});

test("a connection of its own that is cut is not mistaken for a status", async ({ lab }) => {
  const server = await lab.serve({ maxSessions: 1 });
  const connection = lab.connect(server);
  const first = await connection.start("echo ready; cat", lab);
  await once(first.stdout, "data");
  const surplus = await connection.start("echo ready; cat", lab);
  await once(surplus.stdout, "data");
  expect(loginsOf(server)).toBe(2);
  server.cutConnections();
  expect(await surplus.ended).toMatchObject({ code: null, failure: { kind: "cut", beganSession: true } });
});

test("a socket that nobody serves any more is replaced", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  await connection.connect(lab);
  const [socket = ""] = lab.sockets();
  process.kill(masterOf(socket), "SIGKILL");
  await until(() => (Number.isNaN(masterOf(socket)) ? true : undefined), { what: "the master is gone" });
  expect(await outcomeOf(await connection.start("echo on", lab))).toMatchObject({ code: 0, stdout: "on\n" });
  expect(loginsOf(server)).toBe(2);
  rmSync(socket);
  expect(await outcomeOf(await connection.start("echo on", lab))).toMatchObject({ code: 0 });
  expect(lab.sockets()).toEqual([socket]);
});

test("a master that stands still is replaced", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  await connection.connect(lab);
  const [socket = ""] = lab.sockets();
  const frozen = masterOf(socket);
  process.kill(frozen, "SIGSTOP");
  try {
    expect(await outcomeOf(await connection.start("echo on", lab))).toMatchObject({ code: 0, stdout: "on\n" });
    expect(loginsOf(server)).toBe(2);
  } finally {
    process.kill(frozen, "SIGKILL");
  }
});

test("a login that another process opened meanwhile is used, and ours is closed", async ({ lab }) => {
  const server = await lab.serve();
  const [first, second] = [lab.connect(server), lab.connect(server)];
  await Promise.all([first.connect(lab), second.connect(lab)]);
  expect(lab.sockets()).toHaveLength(1);
  expect(await outcomeOf(await second.start("echo on", lab))).toMatchObject({ code: 0 });
});

test("the end of a shared connection by somebody else is not a result", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  const running = await connection.start("echo ready; cat", lab);
  await once(running.stdout, "data");
  lab.exitMasters();
  expect(await running.ended).toMatchObject({ code: null, failure: { kind: "cut", beganSession: true } });
});

test("close ends what was started, leaves a shared login, and refuses further work", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server, {}, { ownMaster: false });
  const running = await connection.start("cat", lab);
  const output = text(running.stdout).catch((error: NodeJS.ErrnoException) => error.code);
  await connection.close();
  expect(await running.ended).toMatchObject({ code: null, signal: "SIGTERM" });
  // Whichever comes first: its end, or that nobody waits for it any more.
  expect(["", "ERR_STREAM_PREMATURE_CLOSE"]).toContain(await output);
  const [socket = ""] = lab.sockets();
  expect(masterOf(socket)).toBeGreaterThan(0);
  await expect(connection.start("true", lab)).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
  lab.exitMasters();
});

test("nothing of a call is left in the folder for temporary files", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const folder = join(lab.folder, "temporary");
  mkdirSync(folder);
  vi.stubEnv("TMPDIR", folder);
  await outcomeOf(await connection.start("true", lab));
  expect(readdirSync(folder)).toEqual([]);
});

test("an empty command and one with a NUL are refused", async ({ lab }) => {
  const connection = lab.connect({ port: 1 });
  await expect(connection.start("", lab)).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(connection.start("a\0b", lab)).rejects.toMatchObject({ code: "INVALID_INPUT" });
});

test("a command that is too long for the system is refused by name", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  await expect(connection.start("x".repeat(200_000), lab)).rejects.toMatchObject({ code: "TOO_LARGE" });
});
