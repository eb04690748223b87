import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, vi } from "vitest";
import { loginsOf, testWithSsh as test } from "../../../test/support/ssh-bench.ts";
import { needs } from "../../../test/support/system.ts";
import { until } from "../../../test/support/until.ts";
import type { SshServer } from "../../../test/support/windows-simulator/ssh-server.ts";
import { type Clock, systemClock } from "../../clock.ts";

needs("sshd");

const listeners: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];
afterEach(() => {
  for (const { server, sockets } of listeners.splice(0)) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
  vi.unstubAllEnvs();
});

/** Something on a port that is no SSH server. */
async function listen(answer: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    answer(socket);
  }).listen(0, "127.0.0.1");
  listeners.push({ server, sockets });
  await once(server, "listening");
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, attempts: () => sockets.size };
}

/** A clock on which the waits between attempts pass at once; it notes them. */
function hurriedClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  return {
    ...systemClock,
    waits,
    after(delayMs, action, options) {
      if (delayMs !== 500 && delayMs !== 1_000) return systemClock.after(delayMs, action, options);
      waits.push(delayMs);
      return systemClock.after(0, action, options);
    },
  };
}

const attemptsAt = (server: SshServer) => server.log().match(/^Connection from /gm)?.length ?? 0;

test("a server that drops its visitors is tried three times, after half a second and a second", async ({ lab }) => {
  const dropping = await listen((socket) => socket.destroy());
  const clock = hurriedClock();
  const connecting = lab.connect(dropping, {}, { clock }).connect(lab);
  await expect(connecting).rejects.toMatchObject({
    code: "HOST_UNREACHABLE",
    details: { host: "lab1", kind: "unreachable", began_session: false },
  });
  expect(dropping.attempts()).toBe(3);
  // The first is the look for a shared connection, which has found none by then.
  expect(clock.waits).toEqual([1_000, 500, 1_000]);
});

test("no attempt is begun for which no time is left", async ({ lab }) => {
  const dropping = await listen((socket) => socket.destroy());
  const connecting = lab.connect(dropping, {}, { timeoutMs: 400 }).connect(lab);
  await expect(connecting).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
  expect(dropping.attempts()).toBe(1);
});

test("a refused port is named with what to check", async ({ lab }) => {
  const { port } = await listen(() => undefined);
  listeners.splice(0).map(({ server }) => server.close());
  const connecting = lab.connect({ port }, {}, { clock: hurriedClock() }).connect(lab);
  await expect(connecting).rejects.toMatchObject({
    code: "HOST_UNREACHABLE",
    message: expect.stringMatching(/lab1 \(nobody@127\.0\.0\.1 port \d+\): .*Connection refused; check/),
  });
});

test("a server that says nothing costs the time to connect and not more", async ({ lab }) => {
  const silent = await listen(() => undefined);
  const startedMs = systemClock.monotonic();
  const connecting = lab.connect(silent, {}, { timeoutMs: 1_200 }).connect(lab);
  await expect(connecting).rejects.toMatchObject({ code: "TIMEOUT", details: { kind: "timeout" } });
  expect(systemClock.monotonic() - startedMs).toBeLessThan(6_000);
  expect(silent.attempts()).toBe(1);
});

test("what is no SSH server is not tried again", async ({ lab }) => {
  const chatty = await listen((socket) => socket.write(`${"x".repeat(300)}\n`.repeat(2_000)));
  const connecting = lab.connect(chatty, {}, { clock: hurriedClock() }).connect(lab);
  await expect(connecting).rejects.toMatchObject({ code: "HOST_UNREACHABLE", details: { transient: false } });
  expect(chatty.attempts()).toBe(1);
});

test("a name without an address is said to be one", async ({ lab }) => {
  const connecting = lab.connect({ port: 1 }, { sshHost: "no-such.invalid" }, { clock: hurriedClock() }).connect(lab);
  await expect(connecting).rejects.toMatchObject({ code: "HOST_UNREACHABLE", details: { kind: "unresolved" } });
});

test("a wrong key is tried once", async ({ lab }) => {
  const server = await lab.serve();
  const wrong = join(lab.folder, "wrong");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", wrong]);
  const connecting = lab.connect(server, { sshIdentityFile: wrong }, { clock: hurriedClock() }).connect(lab);
  await expect(connecting).rejects.toMatchObject({ code: "SSH_AUTH_REFUSED", details: { transient: false } });
  expect(attemptsAt(server)).toBe(1);
});

test("a machine that is not known is not talked to, and not learned", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server, { sshKnownHosts: join(lab.folder, "none") }, { clock: hurriedClock() });
  await expect(connection.connect(lab)).rejects.toMatchObject({ code: "SSH_HOST_KEY" });
  await expect(connection.connect(lab)).rejects.toMatchObject({ code: "SSH_HOST_KEY" });
  expect(attemptsAt(server)).toBe(2);
  expect(loginsOf(server)).toBe(0);
});

test("a machine with another key than before is tried once", async ({ lab }) => {
  const server = await lab.serve();
  await server.changeHostKey();
  const connecting = lab.connect(server, {}, { clock: hurriedClock() }).connect(lab);
  await expect(connecting).rejects.toMatchObject({
    code: "SSH_HOST_KEY",
    message: expect.stringContaining("REMOTE HOST IDENTIFICATION HAS CHANGED"),
  });
  expect(attemptsAt(server)).toBe(1);
});

test("who gives up gets the reason at once; the others go on waiting, and the last one takes the attempt along", async ({
  lab,
}) => {
  const silent = await listen(() => undefined);
  const connection = lab.connect(silent);
  const [first, second] = [new AbortController(), new AbortController()];
  const ends = [first, second].map(async ({ signal }) => connection.connect({ signal }).catch((error) => error));
  await until(() => (silent.attempts() === 1 ? true : undefined), { what: "an attempt" });
  const reason = new Error("no longer wanted");
  first.abort(reason);
  expect(await ends[0]).toBe(reason);
  expect(sshIn(lab.folder)).toBe(1);
  second.abort(reason);
  expect(await ends[1]).toBe(reason);
  await until(() => (sshIn(lab.folder) === 0 ? true : undefined), { what: "no ssh is left" });
});

test("close gives up an attempt", async ({ lab }) => {
  const silent = await listen(() => undefined);
  const connection = lab.connect(silent);
  const connecting = connection.connect(lab).catch((error) => error);
  await until(() => (silent.attempts() === 1 ? true : undefined), { what: "an attempt" });
  await connection.close();
  expect(await connecting).toMatchObject({ code: "CLIENT_CLOSED" });
});

test("a machine without OpenSSH is told so", async ({ lab }) => {
  vi.stubEnv("PATH", lab.folder);
  await expect(lab.connect({ port: 1 }).connect(lab)).rejects.toMatchObject({ code: "PREREQUISITE_MISSING" });
});

/** How many local ssh use sockets below this folder. */
function sshIn(folder: string): number {
  const lines = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
  return lines.split("\n").filter((line) => line.startsWith("ssh ") && line.includes(folder)).length;
}
