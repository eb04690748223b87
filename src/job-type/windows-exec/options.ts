import type { MachineIdentity } from "../../attempt/handlers.ts";
import type { Clock } from "../../clock.ts";
import type { NamedHost } from "../../host/inventory.ts";
import type { Runners } from "../use-runner.ts";

/** What `windows.exec` stands on. */
export interface WindowsExecOptions {
  readonly clock: Clock;
  readonly machine: MachineIdentity;
  readonly findHost: (name: string) => NamedHost;
  readonly runners: Runners;
  /** Kept of each stream, in bytes. */
  readonly keptBytes: number;
}
