import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import { probeClient, probeServer } from "../../host/aloha/liveness.ts";
import { ALOHA_CLIENT, ALOHA_SERVER } from "../../host/model/on-machine.ts";
import type { HostAnswers } from "./model/judge-host.ts";
import { settingOf } from "./model/subject.ts";
import type { Session } from "./session.ts";

const SUPERVISE = "`windlass supervisor run --once`";

/** Asks both parts of Aloha by the way that jobs take; that asks again by itself what passes by itself. */
export async function askAloha(
  session: Session,
  settings: Config["aloha"],
  clock: Clock,
): Promise<NonNullable<HostAnswers["aloha"]>> {
  const { serverUrl, clientUrl, serverStartCmd, clientStartCmd, clientTask } = settings;
  const { host, timeoutMs } = session.machine;
  const [server, client] = await Promise.all([
    session.attempt((signal) => probeServer(serverUrl, { clock, timeoutMs, signal })),
    session.attempt((signal) => probeClient(clientUrl, { clock, timeoutMs, signal })),
  ]);
  const setting = (key: string): string => settingOf(host, `aloha.${key}`);
  return {
    server: {
      ...{ what: "Aloha's server", url: serverUrl, setting: setting("server_url"), port: ALOHA_SERVER.port },
      proof: "GET / with 200",
      start: startBy(serverStartCmd, setting("server_start_cmd")),
      answer: server,
    },
    client: {
      ...{ what: "Aloha's client", url: clientUrl, setting: setting("client_url"), port: ALOHA_CLIENT.port },
      proof: "GET /run_task with 405",
      start:
        clientStartCmd === ""
          ? `\`schtasks /Run /TN "${clientTask}"\` there, or ${SUPERVISE}`
          : startBy(clientStartCmd, setting("client_start_cmd")),
      answer: client,
    },
  };
}

function startBy(command: string, setting: string): string {
  return command === ""
    ? `start it there; with ${setting} set, ${SUPERVISE} does`
    : `${SUPERVISE} starts it by ${setting}`;
}
