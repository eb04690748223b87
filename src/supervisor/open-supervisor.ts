import type { Clock } from "../clock.ts";
import type { LoadedConfig } from "../config/config.ts";
import { AppError } from "../error.ts";
import { chooseHosts } from "../host/choose-hosts.ts";
import { componentOf } from "./component.ts";
import { Supervisor } from "./supervisor.ts";
import { supervisorFolder } from "./supervisor-folder.ts";
import type { SupervisorEvent } from "./supervisor-parts.ts";
import { watchHost } from "./watch-host.ts";

/** What a supervisor is opened with. */
export interface SupervisorOptions {
  readonly clock: Clock;
  /** Names, or `label=value`; without any: all that are configured. */
  readonly hosts?: readonly string[] | undefined;
  /** One pass that comes to a verdict, where there is no next one soon. */
  readonly isOnce: boolean;
  onEvent(event: SupervisorEvent): void;
}

/** PowerShell may take a minute to start on a machine that has just started itself; everything else has the network's limit. */
const START_MS = 60_000;
/** Attempts of one step with their waits, in network calls. */
const CALLS_MAX = 6;

/**
 * Opens the supervisor of the configured hosts.
 *
 * @throws AppError `SUPERVISOR_RUNNING`, `UNKNOWN_HOST`, `CONFIG` where no machine is configured.
 */
export function openSupervisor(loaded: LoadedConfig, { clock, hosts, isOnce, onEvent }: SupervisorOptions): Supervisor {
  const { config } = loaded;
  const { supervisor: settings, timeoutMs } = config;
  const targets = new Map(chooseHosts(loaded, hosts).map((target) => [target.host.name, target]));
  return Supervisor.open({
    clock,
    random: Math.random,
    limits: settings,
    settleMs: settings.settleMs,
    stepLimitMs: START_MS + CALLS_MAX * timeoutMs,
    failpoint: settings.failpoint === undefined ? undefined : componentOf(settings.failpoint),
    isOnce,
    folder: supervisorFolder(config.database.path),
    hosts: [...targets.keys()],
    openHost(name) {
      const target = targets.get(name);
      if (target === undefined) throw new AppError("INTERNAL", `host ${name} is not watched`);
      return watchHost(target, { config, clock });
    },
    onEvent,
  });
}
