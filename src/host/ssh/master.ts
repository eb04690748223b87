import { randomBytes } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { type Clock, onAbort, settlesWithin } from "../../clock.ts";
import { explainFailure } from "./diagnostics.ts";
import type { SshFailure } from "./failure.ts";
import { startClient } from "./local-client.ts";
import { exitArguments, masterArguments, type SshTarget } from "./options.ts";

/** A master that runs answers in less than a millisecond; one that does not in this time is stopped or lost. */
const HELLO_MS = 1_000;
/** ssh keeps the time itself; this much later it is taken to hang. */
const OVERTIME_MS = 1_000;
const EXIT_MS = 2_000;
/** Length, type and version of what a master says first. */
const HELLO_BYTES = 12;
const MUX_MSG_HELLO = 1;

/**
 * True when a master serves this socket. Asked without a process: `ssh -O check` takes 8 ms, this less than one.
 *
 * @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.mux
 */
export function isMasterAlive(path: string, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let said = Buffer.alloc(0);
    const end = (isAlive: boolean): void => {
      timer.cancel();
      socket.destroy();
      resolve(isAlive);
    };
    const timer = clock.after(HELLO_MS, () => end(false));
    socket.on("error", () => end(false));
    socket.on("close", () => end(false));
    socket.on("data", (bytes: Buffer) => {
      said = Buffer.concat([said, bytes]);
      if (said.length >= HELLO_BYTES) end(said.readUInt32BE(4) === MUX_MSG_HELLO);
    });
  });
}

/** What opening a connection needs. */
export interface MasterOrder {
  readonly target: SshTarget;
  /** The socket that the processes of this account share. */
  readonly controlPath: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Opens the connection and leaves it to ssh in the background.
 *
 * Several processes may do this at once. A second `ssh -M` on the same socket would become a connection that nobody can
 * use and that never ends; so each master has a socket of its own, which takes the shared name when it works. One that is
 * replaced serves whom it serves and ends by itself. This also puts a new socket over a stale one.
 *
 * @returns why it was not opened; undefined when it is.
 * @throws the signal's reason.
 */
export async function openMaster(order: MasterOrder): Promise<SshFailure | undefined> {
  const { target, controlPath, clock, timeoutMs, signal } = order;
  const own = `${controlPath}.${randomBytes(4).toString("hex")}`;
  signal.throwIfAborted();
  const client = await startClient(
    "ssh",
    ({ diagnosticsPath }) =>
      masterArguments(target, { controlPath: own, diagnosticsPath, connectTimeoutMs: timeoutMs }),
    { clock },
  );
  client.stdin.end();
  client.stdout.resume();
  client.stderr.resume();
  using _ = onAbort(signal, () => client.kill());
  const isLate = !(await settlesWithin(clock, timeoutMs + OVERTIME_MS, client.ended));
  if (isLate) client.kill();
  const end = await client.ended;
  if (end.code === 0) return publish(order, own);
  rmSync(own, { force: true });
  signal.throwIfAborted();
  if (!isLate) return { ...explainFailure(end.text), beganSession: false };
  return { kind: "timeout", transient: true, beganSession: false, text: `no login within ${timeoutMs} ms` };
}

async function publish({ target, controlPath, clock }: MasterOrder, own: string): Promise<undefined> {
  if (await isMasterAlive(controlPath, clock)) await exitMaster(target, own, clock);
  else renameSync(own, controlPath);
}

/** Ends a master and with it every session on it. */
export async function exitMaster(target: SshTarget, controlPath: string, clock: Clock): Promise<void> {
  const client = await startClient(
    "ssh",
    ({ diagnosticsPath }) => exitArguments(target, { controlPath, diagnosticsPath, connectTimeoutMs: EXIT_MS }),
    { clock },
  );
  client.stdin.end();
  client.stdout.resume();
  client.stderr.resume();
  if (!(await settlesWithin(clock, EXIT_MS, client.ended))) client.kill();
  await client.ended;
  rmSync(controlPath, { force: true });
}
