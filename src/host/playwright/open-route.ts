import { once } from "node:events";
import net from "node:net";
import { withDeadline } from "../../clock.ts";
import { type Endpoint, withoutBrackets } from "../model/endpoint.ts";
import { decideRoute, isLoopback } from "./decide-route.ts";
import type { HostAccess } from "./host-access.ts";
import type { ServerParts } from "./server-parts.ts";

/** An open way to a browser server. */
export interface Route extends AsyncDisposable {
  readonly via: "ssh" | "direct";
  /** Where this process connects to. */
  readonly endpoint: Endpoint;
  /** The host, when it was needed already. */
  readonly access: HostAccess | undefined;
}

/** A port of this machine answers at once or not at all. */
const LOOK_MS = 500;

/**
 * Opens the way that the configuration asks for. The tunnel closes with the route.
 *
 * @throws AppError what opening the host throws.
 */
export async function openRoute(parts: ServerParts, signal: AbortSignal): Promise<Route> {
  const { tunnel, host, port } = parts.server;
  const isAnswered = tunnel === "auto" && isLoopback(host) && (await answers({ host, port }, parts, signal));
  if (decideRoute({ tunnel, host, isAnswered }) === "direct") {
    return { via: "direct", endpoint: { host, port }, access: undefined, [Symbol.asyncDispose]: async () => {} };
  }
  await using opened = new AsyncDisposableStack();
  const access = opened.use(await parts.openAccess({ signal }));
  const open = opened.use(await access.tunnel({ host, port }, { signal }));
  const kept = opened.move();
  const endpoint = { host: "127.0.0.1", port: open.port };
  return { via: "ssh", endpoint, access, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function answers({ host, port }: Endpoint, { clock }: ServerParts, signal: AbortSignal): Promise<boolean> {
  const socket = net.connect({ host: withoutBrackets(host), port });
  try {
    await withDeadline({ clock, timeoutMs: LOOK_MS, signal }, (late) => once(socket, "connect", { signal: late }));
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}
