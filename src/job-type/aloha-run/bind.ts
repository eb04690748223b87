import type { Handlers } from "../../attempt/handlers.ts";
import { AppError } from "../../error.ts";
import { alohaClient } from "../../host/aloha/client.ts";
import { decideDesktop } from "../../host/aloha/model/decide-desktop.ts";
import { machineIdentity } from "../../host/local/machine.ts";
import { askScript } from "../../host/powershell/ask-script.ts";
import { askHost, DESKTOP_SESSION, READ_FILE } from "../../host/powershell/scripts.ts";
import type { BindParts } from "../bind-parts.ts";
import { mirrored } from "../mirror.ts";
import { runnerLender } from "../use-runner.ts";
import { alohaRunHandlers } from "./handler.ts";
import type { AlohaHost, AlohaRunOptions } from "./options.ts";

/** Binds `aloha.run` to the machines of the configuration. */
export function bindAlohaRun(parts: BindParts): Handlers {
  const handlers = alohaRunHandlers({
    openHost: (name, ctx) => openHost(parts, name, ctx),
    machine: machineIdentity(),
    clock: parts.clock,
    killGraceMs: parts.config.worker.killGraceMs,
  });
  return mirrored(handlers, parts);
}

/** What the client is given as `server_url`: the whole path, as its own machine sees it. */
const ACTION_PATH = "/generate_action";

function openHost(
  { config, clock, machines }: BindParts,
  name: string,
  { outsideTimeout, timeoutMs: attemptMs }: Parameters<AlohaRunOptions["openHost"]>[1],
): AlohaHost {
  const host = machines.find(name);
  const { aloha } = host;
  if (aloha === undefined)
    throw new AppError(
      "CONFIG",
      `host ${name} has no Aloha; give it a block aloha in the configuration (hosts.${name}.aloha)`,
    );
  const { timeoutMs } = config;
  const lend = runnerLender({ runners: machines.runners, host }, { outsideTimeout });
  return {
    client: alohaClient({ url: aloha.clientUrl, clock, timeoutMs }),
    actionUrl: `${aloha.serverUrl}${ACTION_PATH}`,
    readLog: ({ offset, bytesMax }, { signal }) =>
      lend({ signal }, async (runner) => {
        const where = { path: aloha.clientLog, offset, max_bytes: bytesMax };
        const piece = await askHost(runner, READ_FILE, where, { timeoutMs, signal });
        return piece.exists
          ? { kind: "read" as const, bytes: piece.data, sizeBytes: piece.size }
          : { kind: "missing" as const };
      }),
    desktop: ({ signal }) =>
      lend({ signal }, async (runner) =>
        decideDesktop((await askHost(runner, DESKTOP_SESSION, {}, { timeoutMs, signal })).sessions),
      ),
    check: (script, { signal }) =>
      lend({ signal }, (runner) =>
        askScript(runner, { what: "idempotent_check", script }, { timeoutMs: attemptMs, signal }),
      ),
  };
}
