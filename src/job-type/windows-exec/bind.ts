import type { Handlers } from "../../attempt/handlers.ts";
import { machineIdentity } from "../../host/local/machine.ts";
import type { BindParts } from "../bind-parts.ts";
import { windowsExecHandlers } from "./handler.ts";

/** Binds `windows.exec` to the machines of the configuration. */
export function bindWindowsExec({ config, clock, machines }: BindParts): Handlers {
  return windowsExecHandlers({
    clock,
    machine: machineIdentity(),
    findHost: (name) => machines.find(name),
    runners: machines.runners,
    keptBytes: config.output.keptBytes,
  });
}
