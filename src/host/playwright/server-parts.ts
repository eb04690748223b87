import type { Clock } from "../../clock.ts";
import type { HostAccess } from "./host-access.ts";
import type { WsPath } from "./ws-path.ts";

/** A browser server as the configuration describes it. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly tunnel: "auto" | "on" | "off";
}

/** What everything that speaks with a browser server stands on. */
export interface ServerParts {
  /** Of the machine, as jobs name it. */
  readonly hostName: string;
  readonly server: ServerAddress;
  readonly wsPath: WsPath;
  readonly clock: Clock;
  /** Of each call over the network. */
  readonly timeoutMs: number;
  /** Opens the host; called only where it is needed. */
  openAccess(options: { readonly signal: AbortSignal }): Promise<HostAccess>;
}
