import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import { configError } from "../../config/schema/setting.ts";
import type { Machines } from "../machines.ts";
import type { LendRunner } from "../powershell/runner-pool.ts";
import { machineAccess } from "./machine-access.ts";
import type { ServerParts } from "./server-parts.ts";
import { readWsPath } from "./ws-path.ts";

/** What a server of the configuration stands on. */
export interface ConfiguredParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly machines: Machines;
}

/**
 * The browser server of a machine as the configuration describes it. Nothing is opened yet.
 *
 * @throws AppError `UNKNOWN_HOST`; `CONFIG` when the machine has no browser server or its secret path is not set.
 */
export function configuredServer(
  { config, clock, machines }: ConfiguredParts,
  hostName?: string,
  lend?: LendRunner,
): ServerParts {
  const host = machines.find(hostName);
  const { name, playwright } = host;
  if (playwright === undefined)
    throw configError(`hosts.${name}`, "has no block playwright, so there is no browser server to reach");
  return {
    hostName: name,
    server: { host: playwright.host, port: playwright.port, tunnel: playwright.tunnel },
    // One secret for all machines: it comes from the environment, which has no blocks.
    wsPath: readWsPath(config.playwright.wsPath),
    clock,
    timeoutMs: config.timeoutMs,
    openAccess: async () => machineAccess(machines, host, lend),
  };
}
