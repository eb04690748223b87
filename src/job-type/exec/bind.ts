import type { Handlers } from "../../attempt/handlers.ts";
import { allowedEnvironment } from "../../host/local/environment.ts";
import { machineIdentity } from "../../host/local/machine.ts";
import type { BindParts } from "../bind-parts.ts";
import { execHandlers } from "./handler.ts";

/** Binds `exec` to this machine. */
export function bindExec({ config, clock, environment }: BindParts): Handlers {
  const { killGraceMs, tickMs } = config.worker;
  return execHandlers({
    clock,
    machine: machineIdentity(),
    environment: allowedEnvironment(config.exec.env, environment),
    uid: config.exec.uid,
    killGraceMs,
    keptBytes: config.output.keptBytes,
    tickMs,
  });
}
