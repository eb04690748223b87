import { withoutBrackets } from "../model/endpoint.ts";

/** What the choice of a way to the browser server stands on. */
export interface RouteFacts {
  readonly tunnel: "auto" | "on" | "off";
  /** As configured. */
  readonly host: string;
  /** Something on this machine listens on the configured port. */
  readonly isAnswered: boolean;
}

/**
 * Chooses the way: through SSH, or straight. `auto` goes through SSH unless the host is another machine's address, which
 * says that its server is on the network, or the port is there already, which says that somebody forwards it.
 */
export function decideRoute({ tunnel, host, isAnswered }: RouteFacts): "ssh" | "direct" {
  if (tunnel !== "auto") return tunnel === "on" ? "ssh" : "direct";
  return isLoopback(host) && !isAnswered ? "ssh" : "direct";
}

/** True for names and addresses of the machine itself. */
export function isLoopback(host: string): boolean {
  const name = withoutBrackets(host.toLowerCase());
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}
