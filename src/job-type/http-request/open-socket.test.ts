import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../clock.ts";
import { addressRules } from "./address-rules.ts";
import { exchange } from "./exchange.ts";
import { openSocket, type Reach } from "./open-socket.ts";

const never = new AbortController().signal;
const trusted = tls.getCACertificates();
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const certificate = certificateFor(["localhost", "a.example"], ["127.0.0.1"]);
const key = privateKey.export({ type: "pkcs8", format: "pem" });

beforeAll(() => tls.setDefaultCACertificates([...trusted, certificate]));
afterAll(() => tls.setDefaultCACertificates(trusted));

function reach(allow: readonly string[], more: Partial<Reach> = {}): Reach {
  const lookUp = () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]);
  return { rules: addressRules(allow), lookUp, connectTimeoutMs: 10_000, clock: systemClock, ...more };
}

async function listening(server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function secure(answer = "hello"): Promise<{ readonly port: number; readonly names: readonly unknown[] }> {
  const names: unknown[] = [];
  const server = https.createServer({ key, cert: certificate }, (request, response) => {
    names.push((request.socket as tls.TLSSocket).servername, request.headers.host);
    response.end(answer);
  });
  server.on("tlsClientError", () => {});
  return { port: await listening(server), names };
}

test("TLS asks for the name of the host at the address that was checked", async () => {
  const { port, names } = await secure();
  for (const host of ["a.example", "a.example.", "127.0.0.1"]) {
    const url = new URL(`https://${host}:${port}/x`);
    const { socket, address, tlsMs } = await openSocket(url, reach(["127.0.0.0/8"]), never);
    const secret = { headers: new Set<string>(), body: false };
    const answer = await exchange(socket, { method: "GET", url, headers: {}, secret });
    expect([answer.message.statusCode, address]).toEqual([200, "127.0.0.1"]);
    expect(tlsMs).toBeGreaterThan(0);
    socket.destroy();
  }
  const at = `:${port}`;
  expect(names).toEqual(["a.example", `a.example${at}`, "a.example", `a.example.${at}`, false, `127.0.0.1${at}`]);
});

test("a certificate for another name, and one that nobody trusts, precede the request", async () => {
  const { port, names } = await secure();
  const other = openSocket(new URL(`https://b.example:${port}/`), reach(["b.example"]), never);
  await expect(other).rejects.toMatchObject({ code: "HOST_UNREACHABLE", message: expect.stringMatching(/ALTNAME/) });
  tls.setDefaultCACertificates(trusted);
  onTestFinished(() => tls.setDefaultCACertificates([...trusted, certificate]));
  const unknown = openSocket(new URL(`https://a.example:${port}/`), reach(["a.example"]), never);
  await expect(unknown).rejects.toMatchObject({
    code: "HOST_UNREACHABLE",
    message: expect.stringMatching(/SELF_SIGNED/),
  });
  expect(names).toEqual([]);
});

test("a server that hangs up in the handshake is unreachable", async () => {
  const port = await listening(net.createServer((socket) => socket.once("data", () => socket.destroy())));
  const opened = openSocket(new URL(`https://a.example:${port}/`), reach(["a.example"]), never);
  await expect(opened).rejects.toMatchObject({ code: "HOST_UNREACHABLE" });
});

test("a name with a private address beside a public one is refused, and nothing is connected", async () => {
  const connections: unknown[] = [];
  const port = await listening(net.createServer((socket) => connections.push(socket)));
  const lookUp = () => Promise.resolve(["1.1.1.1", "127.0.0.1"].map((address) => ({ address, family: 4 })));
  const opened = openSocket(new URL(`http://a.example:${port}/`), reach([], { lookUp }), never);
  await expect(opened).rejects.toMatchObject({
    code: "ADDRESS_REFUSED",
    message:
      "a.example has the address 127.0.0.1, a loopback address; to let http.request reach it, list a.example in http_request.allow",
  });
  expect(connections).toEqual([]);
});

test("localhost is refused by what it resolves to", async () => {
  const lookUp = (hostname: string) => lookup(hostname, { all: true });
  const opened = openSocket(new URL("http://LOCALHOST/"), reach([], { lookUp }), never);
  await expect(opened).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
  // How the system reads the dot of the root differs; the rule does not.
  const dotted = openSocket(new URL("http://localhost./"), reach([]), never);
  await expect(dotted).rejects.toMatchObject({ code: "ADDRESS_REFUSED" });
});

test("a name is looked up once, and the next address is taken when the first does not answer", async () => {
  const port = await listening(net.createServer((socket) => socket.on("error", () => {})));
  let lookups = 0;
  const lookUp = async () => {
    lookups += 1;
    // Nothing listens at 127.0.0.2.
    return ["127.0.0.2", "127.0.0.1"].map((address) => ({ address, family: 4 }));
  };
  const opened = await openSocket(new URL(`http://a.example:${port}/`), reach(["a.example"], { lookUp }), never);
  opened.socket.destroy();
  expect([opened.address, lookups]).toEqual(["127.0.0.1", 1]);
});

test.each([
  ["is not found", () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })), "ENOTFOUND"],
  ["has no address", () => Promise.resolve([]), "has no address"],
])("a name that %s is unreachable", async (_what, lookUp, message) => {
  const opened = openSocket(new URL("http://a.example/"), reach([], { lookUp }), never);
  await expect(opened).rejects.toMatchObject({ code: "HOST_UNREACHABLE", message: expect.stringContaining(message) });
});

test("a port where nobody listens is unreachable", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const opened = openSocket(new URL(`http://127.0.0.1:${port}/`), reach(["127.0.0.1"]), never);
  await expect(opened).rejects.toMatchObject({
    code: "HOST_UNREACHABLE",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("the time to connect holds for the resolver and for a TLS handshake that never ends", async () => {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => sockets.push(socket.on("error", () => {})));
  const port = await listening(server);
  let expire = (): void => {};
  const clock: Clock = {
    ...systemClock,
    after: (_delayMs, action) => {
      expire = action;
      return { cancel: () => {} };
    },
  };
  const failed = { code: "HOST_UNREACHABLE", message: expect.stringContaining("was not reached within 10000 ms") };

  const named = openSocket(
    new URL("http://a.example/"),
    reach([], { clock, lookUp: () => new Promise(() => {}) }),
    never,
  );
  expire();
  await expect(named).rejects.toMatchObject(failed);

  const silent = openSocket(new URL(`https://a.example:${port}/`), reach(["a.example"], { clock }), never);
  const [peer] = (await once(server, "connection")) as [net.Socket];
  expire();
  await expect(silent).rejects.toMatchObject(failed);
  peer.resume();
  await once(peer, "close");
});

test("a signal ends the wait for the resolver and for a handshake, and the socket with it", async () => {
  const control = new AbortController();
  const server = net.createServer((socket) => socket.on("error", () => {}).resume());
  const port = await listening(server);
  const named = openSocket(
    new URL("http://a.example/"),
    reach([], { lookUp: () => new Promise(() => {}) }),
    control.signal,
  );
  const silent = openSocket(new URL(`https://a.example:${port}/`), reach(["a.example"]), control.signal);
  const [peer] = (await once(server, "connection")) as [net.Socket];
  control.abort("cancelled");
  await expect(named).rejects.toBe("cancelled");
  await expect(silent).rejects.toBe("cancelled");
  await once(peer, "close");
  await expect(openSocket(new URL("http://a.example/"), reach([]), control.signal)).rejects.toBe("cancelled");
});

/** A self-signed certificate, written byte by byte so that the tests need no other program (X.509 in DER, RFC 5280). */
function certificateFor(names: readonly string[], addresses: readonly string[]): string {
  const algorithm = der(0x30, oid("2a8648ce3d040302"));
  const name = der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from("windlass test")))));
  const time = (atMs: number): Buffer =>
    der(0x18, Buffer.from(`${new Date(atMs).toISOString().replaceAll(/[-:T]|\..*/g, "")}Z`));
  const validity = der(0x30, time(Date.now() - 3_600_000), time(Date.now() + 3_600_000));
  const subjectAltName = der(
    0x30,
    ...names.map((text) => der(0x82, Buffer.from(text))),
    ...addresses.map((text) => der(0x87, Buffer.from(text.split(".").map(Number)))),
  );
  const extensions = der(0xa3, der(0x30, der(0x30, oid("551d11"), der(0x04, subjectAltName))));
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const body = der(0x30, version, serial, algorithm, name, validity, name, publicKeyInfo(publicKey), extensions);
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  const base64 = der(0x30, body, algorithm, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
}

function publicKeyInfo(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" });
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
