import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import { probeClient, probeServer } from "../../host/aloha/liveness.ts";
import type { HostAnswers } from "./model/judge-host.ts";
import { settingOf } from "./model/subject.ts";
import type { Session } from "./session.ts";

/** On the machine, whatever leads there from here; the names of the firewall rules say the same numbers. */
export const SERVER_PORT = 7_887;
export const CLIENT_PORT = 7_888;

const SUPERVISE = "`windlass supervisor run --once`";

/** Asks both parts of Aloha by the way that jobs take; that asks again by itself what passes by itself. */
export async function askAloha(
  session: Session,
  settings: Config["aloha"],
  clock: Clock,
): Promise<NonNullable<HostAnswers["aloha"]>> {
  const { serverUrl, clientUrl, serverStartCmd, clientStartCmd, clientTask } = settings;
  const { host, timeoutMs } = session;
  const [server, client] = await Promise.all([
    session.attempt((signal) => probeServer(serverUrl, { clock, timeoutMs, signal })),
    session.attempt((signal) => probeClient(clientUrl, { clock, timeoutMs, signal })),
  ]);
  const setting = (key: string): string => settingOf(host, `aloha.${key}`);
  return {
    server: {
      ...{ what: "Aloha's server", url: serverUrl, setting: setting("server_url"), port: SERVER_PORT },
      proof: "GET / with 200",
      start: startBy(serverStartCmd, setting("server_start_cmd")),
      answer: server,
    },
    client: {
      ...{ what: "Aloha's client", url: clientUrl, setting: setting("client_url"), port: CLIENT_PORT },
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
