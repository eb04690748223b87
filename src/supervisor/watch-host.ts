import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { type ErrorCode, errorText, toErrorRecord } from "../error.ts";
import { type Liveness, probeClient, probeServer } from "../host/aloha/liveness.ts";
import { HostSession } from "../host/host-session.ts";
import type { NamedHost } from "../host/inventory.ts";
import { ALOHA_CLIENT, ALOHA_SERVER, BROWSER_SERVER } from "../host/model/on-machine.ts";
import { decideRoute } from "../host/playwright/decide-route.ts";
import { lookAtServer } from "../host/playwright/health.ts";
import { SERVER_TASK } from "../host/playwright/host-version.ts";
import { readWsPath } from "../host/playwright/ws-path.ts";
import type { Finding, Watched, WatchedHost } from "./component.ts";
import { firewallRule, startCommand, startTask } from "./repairs.ts";
import { watchBackend } from "./watch-backend.ts";

/** A host to be watched. */
export interface HostToWatch {
  readonly host: NamedHost;
  /** Parts that nobody configured are not looked at. */
  readonly hasAloha: boolean;
  readonly hasPlaywright: boolean;
}

/** What watching stands on. */
export interface WatchParts {
  readonly config: Config;
  readonly clock: Clock;
}

/** Puts together what is asked of a host in one pass; nothing is connected before it is asked. */
export function watchHost(target: HostToWatch, parts: WatchParts): WatchedHost {
  const { host } = target;
  const session = new HostSession(host, parts);
  return {
    host: host.name,
    watched: [
      watchSsh(session, host),
      ...watchAloha(session, target, parts),
      watchBackend(parts),
      watchPlaywright(session, target, parts),
    ],
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function watchSsh(session: HostSession, { sshHost, sshPort }: NamedHost): Watched {
  return {
    component: "ssh",
    // Nothing on the machine can be changed before it can be reached.
    repairs: [],
    async probe(options) {
      // It takes an answer of the machine: that a shared login is open proves nothing, the other side may have forgotten it.
      const version = await session.lend(async (runner) => runner.version, options);
      return { isGood: true, detail: `PowerShell ${version} answers at ${sshHost}:${sshPort}` };
    },
  };
}

function watchAloha(session: HostSession, { host, hasAloha }: HostToWatch, parts: WatchParts): readonly Watched[] {
  const { serverUrl, clientUrl, serverStartCmd, clientStartCmd, clientTask } = host.aloha ?? parts.config.aloha;
  const { clock } = parts;
  const { timeoutMs } = parts.config;
  const notConfigured = hasAloha ? undefined : "Aloha is not configured";
  const start = startCommand(session, {
    line: clientStartCmd,
    setting: "aloha.client_start_cmd",
    port: ALOHA_CLIENT.port,
  });
  const task = startTask(session, {
    name: clientTask,
    port: ALOHA_CLIENT.port,
    hint: "it starts the client on the desktop; make one with an interactive logon",
  });
  return [
    {
      component: "aloha_server",
      notConfigured,
      repairs: [
        firewallRule(session, ALOHA_SERVER),
        startCommand(session, { line: serverStartCmd, setting: "aloha.server_start_cmd", port: ALOHA_SERVER.port }),
      ],
      probe: async ({ signal }) => findingOf(serverUrl, await probeServer(serverUrl, { clock, timeoutMs, signal })),
    },
    {
      component: "aloha_client",
      notConfigured,
      repairs: [
        firewallRule(session, ALOHA_CLIENT),
        start,
        // One of the two: both would start it twice.
        ...(clientStartCmd === "" ? [task] : []),
      ],
      probe: async ({ signal }) => findingOf(clientUrl, await probeClient(clientUrl, { clock, timeoutMs, signal })),
    },
  ];
}

function findingOf(url: string, liveness: Liveness): Finding {
  if (liveness.kind === "alive") return { isGood: true, detail: `${url} answers` };
  return { isGood: false, detail: `${url}: ${liveness.reason}` };
}

/** What is wrong on this side, or between the versions: starting the server again changes nothing. */
const NOT_REPAIRED: readonly ErrorCode[] = ["CONFIG", "PLAYWRIGHT_VERSION_MISMATCH", "PLAYWRIGHT_PATH_REJECTED"];

function watchPlaywright(session: HostSession, { host, hasPlaywright }: HostToWatch, parts: WatchParts): Watched {
  const server = host.playwright ?? parts.config.playwright;
  const { clock } = parts;
  const { timeoutMs } = parts.config;
  const isDirect = decideRoute({ ...server, isAnswered: false }) === "direct";
  return {
    component: "playwright",
    notConfigured: hasPlaywright ? undefined : "Playwright is not configured",
    repairs: [
      // Behind SSH it listens on the machine's own address alone, and no rule is needed.
      ...(isDirect ? [firewallRule(session, BROWSER_SERVER)] : []),
      startTask(session, { name: SERVER_TASK, port: server.port, hint: "`windlass playwright install` makes it" }),
    ],
    async probe({ signal }) {
      try {
        const wsPath = readWsPath(server.wsPath);
        const openAccess = async () => session.access();
        const look = await lookAtServer({ hostName: host.name, server, wsPath, clock, timeoutMs, openAccess }, signal);
        const leak = look.leaks ? "; it tells its secret path to whoever asks" : "";
        return { isGood: true, detail: `it answers (${look.via === "ssh" ? "through SSH" : "directly"})${leak}` };
      } catch (error) {
        const record = toErrorRecord(error);
        const canRepair = !NOT_REPAIRED.some((code) => code === record.code);
        return { isGood: false, detail: errorText(record), canRepair };
      }
    },
  };
}
