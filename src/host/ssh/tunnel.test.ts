import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { buffer, text } from "node:stream/consumers";
import { afterEach, expect } from "vitest";
import { loginsOf, testWithSsh as test } from "../../../test/support/ssh-bench.ts";
import { needs } from "../../../test/support/system.ts";
import { until } from "../../../test/support/until.ts";

needs("sshd");

const servers: Server[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Gives back what it gets, and ends when the other side does. */
async function echo(): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function ask(port: number, bytes: string | Buffer): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(bytes);
  return buffer(socket);
}

test("several connections go through at once, unchanged, over one login", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  await using tunnel = await connection.tunnel({ host: "127.0.0.1", port: await echo() }, lab);
  const sent = Array.from({ length: 8 }, (_, index) => Buffer.alloc(500_000, index));
  const received = await Promise.all(sent.map((bytes) => ask(tunnel.port, bytes)));
  expect(received.every((bytes, index) => bytes.equals(sent[index] ?? Buffer.alloc(0)))).toBe(true);
  expect(loginsOf(server)).toBe(1);
});

test("a place where nobody listens closes the connection, and the tunnel goes on", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const port = portOf(gone);
  gone.close();
  await using tunnel = await connection.tunnel({ host: "127.0.0.1", port }, lab);
  expect(await ask(tunnel.port, "x").catch(() => "closed")).toSatisfy((got) => got === "closed" || got.length === 0);
  const server = createServer((socket) => socket.end("here")).listen(port, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  expect(String(await ask(tunnel.port, "x"))).toBe("here");
});

test("a tunnel outlives its login: the next connection opens another", async ({ lab }) => {
  const server = await lab.serve();
  const connection = lab.connect(server);
  await using tunnel = await connection.tunnel({ host: "localhost", port: await echo() }, lab);
  expect(String(await ask(tunnel.port, "a"))).toBe("a");
  server.cutConnections();
  expect(String(await ask(tunnel.port, "b"))).toBe("b");
  expect(loginsOf(server)).toBe(2);
});

test("the end of a tunnel closes its port and every connection", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const tunnel = await connection.tunnel({ host: "127.0.0.1", port: await echo() }, lab);
  const socket = connect(tunnel.port, "127.0.0.1").on("error", () => undefined);
  socket.write("x");
  await once(socket, "data");
  const closed = once(socket, "close");
  await tunnel[Symbol.asyncDispose]();
  await closed;
  await expect(ask(tunnel.port, "x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("the end of a connection ends its tunnels", async ({ lab }) => {
  const connection = lab.connect(await lab.serve());
  const tunnel = await connection.tunnel({ host: "127.0.0.1", port: await echo() }, lab);
  await connection.close();
  await expect(ask(tunnel.port, "x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

test("a tunnel ends with its process, however that ends", async ({ lab }) => {
  const server = await lab.serve();
  const target = {
    ...{ name: "lab1", sshHost: "127.0.0.1", sshPort: server.port, sshUser: server.user },
    ...{ sshIdentityFile: server.identityFile, sshKnownHosts: server.knownHosts },
  };
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(target, lab.folder, await echo())], {
    stdio: ["ignore", "pipe", "inherit"],
    // What it cannot take away goes with the test's folder.
    env: { ...process.env, TMPDIR: lab.folder },
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const socket = connect(Number(line), "127.0.0.1").on("error", () => undefined);
  socket.write("x");
  await once(socket, "data");
  expect(carriersOf(server.port)).toBe(1);
  child.kill("SIGKILL");
  await text(socket).catch(() => "");
  await until(() => (carriersOf(server.port) === 0 ? true : undefined), {
    what: "what carried the connection is gone",
  });
  await expect(ask(Number(line), "x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

function program(target: unknown, folder: string, port: number): string {
  const source = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  return `
    import { SshConnection } from ${source("./connection.ts")};
    import { systemClock as clock } from ${source("../../clock.ts")};
    const controlFolder = ${JSON.stringify(`${folder}/c`)};
    const connection = new SshConnection(${JSON.stringify(target)}, { clock, timeoutMs: 10_000, controlFolder });
    const signal = AbortSignal.timeout(20_000);
    const tunnel = await connection.tunnel({ host: "127.0.0.1", port: ${port} }, { signal });
    console.log(tunnel.port);`;
}

/** The local ssh that carry a connection to this server. */
function carriersOf(port: number): number {
  const { stdout } = spawnSync("ps", ["-eo", "stat,args"], { encoding: "utf8" });
  return stdout
    .split("\n")
    .filter((line) => !line.startsWith("Z") && line.includes(`-p ${port} `) && line.includes(" -W ")).length;
}
