import type { Handlers } from "../../attempt/handlers.ts";
import { machineIdentity } from "../../host/local/machine.ts";
import type { BindParts } from "../bind-parts.ts";
import { mirrored } from "../mirror.ts";
import { windowsExecHandlers } from "./handler.ts";

/** Binds `windows.exec` to the machines of the configuration. */
export function bindWindowsExec(parts: BindParts): Handlers {
  const { config, clock, machines } = parts;
  const handlers = windowsExecHandlers({
    clock,
    machine: machineIdentity(),
    findHost: (name) => machines.find(name),
    runners: machines.runners,
    keptBytes: config.output.keptBytes,
  });
  return mirrored(handlers, parts);
}
