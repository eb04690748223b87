import type { ClientLog } from "./client-log.ts";
import { type ClientOptions, Player } from "./player.ts";
import type { TaskFields } from "./sampling-loop.ts";
import { startWeb, type WebServer } from "./web.ts";

/** A listening client. */
export interface AlohaClientStandIn extends WebServer {
  readonly log: ClientLog;
  /** What the last accepted request left behind. */
  readonly fields: TaskFields;
  readonly busy: boolean;
  /** Ends the process and begins a new one on the same port, whose log goes on in the same file. */
  restart(): Promise<void>;
}

/** Plays Aloha's client (port 7888 of the product): one task at a time, no id, no result. */
export async function startClient(options: ClientOptions): Promise<AlohaClientStandIn> {
  let player = new Player(options);
  const boot = (port: number): Promise<WebServer> =>
    startWeb(
      port,
      (request) => player.handle(request),
      (request, status) => player.log.access(request.on, status),
    );
  player.boot();
  let web = await boot(options.port ?? 0);
  const { port, url } = web;
  return {
    port,
    url,
    get seen() {
      return web.seen;
    },
    get faults() {
      return web.faults;
    },
    get log() {
      return player.log;
    },
    get fields() {
      return player.fields;
    },
    get busy() {
      return player.busy;
    },
    async restart() {
      player.end();
      await web.stop();
      player = new Player(options);
      player.boot();
      web = await boot(port);
    },
    async stop() {
      player.end();
      await web.stop();
    },
  };
}
