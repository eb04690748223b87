import { checkServer } from "./check-server.ts";
import { connectBrowser } from "./connect-browser.ts";
import { leaksPath } from "./leak.ts";
import { openRoute } from "./open-route.ts";
import type { ServerParts } from "./server-parts.ts";
import { clientVersion } from "./version.ts";

/** What a sound browser server said. */
export interface ServerHealth {
  readonly via: "ssh" | "direct";
  /** Of Playwright, on both sides up to the patch. */
  readonly version: string;
  /** Such as `156.0.8078.79`. */
  readonly browserVersion: string;
}

/**
 * Connects to the browser server as a job would, and lets go.
 *
 * @throws AppError as {@link connectBrowser}.
 */
export async function checkHealth(parts: ServerParts, signal: AbortSignal): Promise<ServerHealth> {
  await using connection = await connectBrowser(parts, signal);
  return { via: connection.via, version: clientVersion(), browserVersion: connection.browser.version() };
}

/** What a look from outside found; for those who look often, because it loads no Playwright. */
export interface ServerLook {
  readonly via: "ssh" | "direct";
  /** The server tells its secret path to whoever reaches its port. */
  readonly leaks: boolean;
}

/**
 * Looks at the server without driving a browser: it is there, knows the path and the version, and keeps its path to itself or not.
 *
 * @throws AppError as `checkServer` and the host do.
 */
export async function lookAtServer(parts: ServerParts, signal: AbortSignal): Promise<ServerLook> {
  await using route = await openRoute(parts, signal);
  await checkServer(route, parts, signal);
  const leaks = await leaksPath(route.endpoint, { clock: parts.clock, timeoutMs: parts.timeoutMs, signal });
  return { via: route.via, leaks };
}
