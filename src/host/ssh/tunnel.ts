import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { onAbort } from "../../clock.ts";
import { AppError } from "../../error.ts";
import type { LocalClient } from "./local-client.ts";

/** A local port that leads to a place on the machine's side. */
export interface Tunnel {
  /** On 127.0.0.1; every account of this machine can open it. */
  readonly port: number;
  /** Closes the port and every connection through it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a port whose connections are each carried by a session of their own.
 *
 * Not `ssh -L` on the shared connection: its port would have to be chosen before it is bound, and it would stay open
 * after this process is gone.
 *
 * @param carry starts what carries one connection on its stdin and stdout.
 */
export async function openTunnel(carry: (signal: AbortSignal) => Promise<LocalClient>): Promise<Tunnel> {
  const stop = new AbortController();
  const open = new Set<Promise<void>>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const served = serve(socket, carry, stop.signal).finally(() => open.delete(served));
    open.add(served);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new AppError("INTERNAL", "a tunnel got no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      if (server.listening) server.close();
      await Promise.all(open);
    },
  };
}

async function serve(
  socket: Socket,
  carry: (signal: AbortSignal) => Promise<LocalClient>,
  signal: AbortSignal,
): Promise<void> {
  // Before anything is awaited: an error of a socket that nobody listens to ends the process.
  socket.on("error", () => socket.destroy());
  using _ = onAbort(signal, () => void socket.destroy());
  try {
    const client = await carry(signal);
    client.stderr.resume();
    client.stdout.on("error", () => socket.destroy());
    socket.on("close", () => client.kill());
    if (socket.destroyed) client.kill();
    socket.pipe(client.stdin);
    client.stdout.pipe(socket);
    const { code } = await client.ended;
    // A place that could not be reached looks to the caller as a connection that was reset, not as an orderly end.
    if (code !== 0) socket.destroy();
  } catch {
    socket.destroy();
  }
}
