import net from "node:net";
import tls from "node:tls";
import { type Clock, unlessAborted, withDeadline } from "../../clock.ts";
import { AppError } from "../../error.ts";
import type { AddressRules } from "./address-rules.ts";
import { codeOf, type LookUp, resolveTarget, type Target } from "./resolve-target.ts";

/** What it takes to reach a host. */
export interface Reach {
  readonly rules: AddressRules;
  readonly lookUp: LookUp;
  /** Time for name, connection and TLS together. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

/** A connection that is ready for the first byte of a request. */
export interface OpenSocket {
  readonly socket: net.Socket;
  /** The address at the other end. */
  readonly address: string;
  readonly resolveMs: number;
  readonly connectMs: number;
  /** Absent without TLS. */
  readonly tlsMs?: number;
}

/** An address of several gets this long before the next is tried beside it. Node's own 250 ms is short for a far host. */
const NEXT_ADDRESS_MS = 1_000;

/**
 * Connects to a URL's host. The connection is made before the request exists, so that every failure here is known to
 * precede its effect.
 *
 * @throws AppError `ADDRESS_REFUSED`, `HOST_UNREACHABLE`; the reason of `signal` as soon as it fires.
 */
export async function openSocket(url: URL, reach: Reach, signal: AbortSignal): Promise<OpenSocket> {
  const { clock, connectTimeoutMs: timeoutMs } = reach;
  return withDeadline(
    { clock, timeoutMs, signal },
    (inTime) => connect(url, reach, inTime),
    () => new AppError("HOST_UNREACHABLE", `${url.origin} was not reached within ${timeoutMs} ms`),
  );
}

async function connect(url: URL, { rules, lookUp, clock }: Reach, signal: AbortSignal): Promise<OpenSocket> {
  const startMs = clock.monotonic();
  const target = await unlessAborted(resolveTarget(url, rules, lookUp), signal);
  const resolvedMs = clock.monotonic();
  const plain = await ready(dial(target), "connect", url, signal);
  const connectedMs = clock.monotonic();
  const address = checkedPeer(plain, target);
  const times = { address, resolveMs: resolvedMs - startMs, connectMs: connectedMs - resolvedMs };
  if (!target.tls) return { socket: plain, ...times };
  const socket = await ready(encrypt(plain, target), "secureConnect", url, signal);
  return { socket, ...times, tlsMs: clock.monotonic() - connectedMs };
}

function dial({ hostname, port, addresses }: Target): net.Socket {
  const lookup: net.LookupFunction = (_hostname, options, done) => {
    const [first] = addresses;
    if (options.all === true || first === undefined) done(null, [...addresses]);
    else done(null, first.address, first.family);
  };
  return net.connect({
    host: hostname,
    port,
    lookup,
    autoSelectFamily: addresses.length > 1,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    noDelay: true,
  });
}

function encrypt(socket: net.Socket, { hostname }: Target): net.Socket {
  // An address is no name to send (RFC 6066, section 3), but the certificate must be for it.
  const name = net.isIP(hostname) === 0 ? { servername: hostname } : {};
  return tls.connect({ socket, host: hostname, ...name, ALPNProtocols: ["http/1.1"] });
}

/** The far end's address; the last check that the connection is the one that was judged. */
function checkedPeer(socket: net.Socket, { hostname, addresses }: Target): string {
  const judged = new net.BlockList();
  for (const { address, family } of addresses) judged.addAddress(address, family === 6 ? "ipv6" : "ipv4");
  const address = socket.remoteAddress;
  const family = socket.remoteFamily === "IPv6" ? "ipv6" : "ipv4";
  if (address !== undefined && judged.check(address, family)) return address;
  socket.destroy();
  if (address === undefined) throw new AppError("HOST_UNREACHABLE", `${hostname} closed the connection at once`);
  throw new AppError(
    "ADDRESS_REFUSED",
    `${hostname} was connected at ${address}, which is not the address that was checked`,
  );
}

/** Waits for `event`; a socket that fails or comes too late is destroyed. */
async function ready(socket: net.Socket, event: string, url: URL, signal: AbortSignal): Promise<net.Socket> {
  // Stays for the life of the socket: an error that comes when nobody waits must not end the process.
  socket.on("error", () => {});
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (cause?: Error): void =>
    reject(
      new AppError("HOST_UNREACHABLE", `${url.origin} could not be reached (${codeOf(cause ?? "closed")})`, { cause }),
    );
  socket.once(event, () => resolve());
  socket.once("error", fail);
  socket.once("close", () => fail());
  try {
    await unlessAborted(promise, signal);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    socket.off("error", fail);
  }
}
