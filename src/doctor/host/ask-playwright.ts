import type { Clock } from "../../clock.ts";
import { AppError, isAppError } from "../../error.ts";
import { decideRoute, isLoopback } from "../../host/playwright/decide-route.ts";
import { checkHealth } from "../../host/playwright/health.ts";
import { askHostVersion, SERVER_TASK } from "../../host/playwright/host-version.ts";
import { leaksPath } from "../../host/playwright/leak.ts";
import { openRoute } from "../../host/playwright/open-route.ts";
import type { ServerParts } from "../../host/playwright/server-parts.ts";
import { readWsPath, type WsPath } from "../../host/playwright/ws-path.ts";
import { SCHEDULED_TASK } from "../../host/powershell/scripts.ts";
import type { Answer } from "./model/answer.ts";
import type { HostAnswers } from "./model/judge-host.ts";
import type { LeakFacts } from "./model/judge-leak.ts";
import type { Session } from "./session.ts";

type PlaywrightAnswers = NonNullable<HostAnswers["playwright"]>;
/** The machine's settings of its browser server. */
type ServerSettings = ServerParts["server"] & { readonly wsPath: string | undefined };

/** What asking a browser server stands on. */
export interface PlaywrightOrder {
  readonly server: ServerSettings;
  readonly clock: Clock;
  /** Why the machine itself cannot be asked; undefined: it can. */
  readonly down: { readonly ssh?: Answer<unknown>; readonly questions?: Answer<never> };
}

/** It goes through SSH unless its address or a setting says otherwise. */
export function isReachedDirectly(server: ServerParts["server"]): boolean {
  return decideRoute({ ...server, isAnswered: false }) === "direct";
}

/** Asks the machine for versions and task, and the server as a job would. */
export async function askPlaywright(session: Session, order: PlaywrightOrder): Promise<PlaywrightAnswers> {
  const { server, clock, down } = order;
  const task = down.questions ?? (await session.ask(SCHEDULED_TASK, { name: SERVER_TASK }));
  const limits = { timeoutMs: session.machine.timeoutMs };
  const versions =
    down.questions ??
    (await session.attempt((signal) => askHostVersion(session.machine.access(), { ...limits, signal })));
  const parts = {
    hostName: session.machine.host.name,
    server,
    clock,
    ...limits,
    openAccess: () => openAccess(session, order),
  };
  const health = await session.attempt(async (signal) =>
    checkHealth({ ...parts, wsPath: readWsPath(server.wsPath) }, signal),
  );
  const leak = await askLeak(session, { ...parts, wsPath: NO_PATH }, health);
  const started = task.kind === "said" && task.value.exists ? /--port (\d{1,5})\b/.exec(task.value.arguments) : null;
  return { health, versions, task, leak, task_name: SERVER_TASK, port: Number(started?.[1] ?? server.port) };
}

/** Without SSH nothing behind it is tried: that would take its time again. */
async function openAccess(session: Session, { down: { ssh } }: PlaywrightOrder) {
  if (ssh === undefined || ssh.kind === "said") return session.machine.access();
  throw new AppError("HOST_UNREACHABLE", "it is reached through SSH, which is down");
}

/** Asking for the leak needs no path. */
const NO_PATH: WsPath = { value: "", redact: (text) => text };

/** What is said by a server that is there, whatever is wrong with our path or version. */
const ANSWERING: readonly string[] = ["CONFIG", "PLAYWRIGHT_PATH_REJECTED", "PLAYWRIGHT_VERSION_MISMATCH"];

async function askLeak(
  session: Session,
  parts: ServerParts,
  health: PlaywrightAnswers["health"],
): Promise<Answer<LeakFacts>> {
  if (health.kind === "failed" && !ANSWERING.includes(health.error.code))
    return { kind: "not_asked", reason: "playwright is not reached" };
  return session.attempt(async (signal) => {
    try {
      await using route = await openRoute(parts, signal);
      const leaks = await leaksPath(route.endpoint, { clock: parts.clock, timeoutMs: parts.timeoutMs, signal });
      return { leaks, isOnNetwork: route.via === "direct" && !isLoopback(parts.server.host) };
    } catch (error) {
      signal.throwIfAborted();
      if (isAppError(error)) throw error;
      // Its own text may hold what the server said.
      throw new AppError("HOST_UNREACHABLE", "the browser server gave no answer to GET /json");
    }
  });
}
