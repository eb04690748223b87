import type { CallLimits } from "../../clock.ts";
import type { Exchange } from "../http/exchange.ts";
import { exchangeRepeatedly } from "../http/repeat.ts";

/** Whether a part of Aloha is there. */
export type Liveness =
  | { readonly kind: "alive" }
  | { readonly kind: "unreachable"; readonly reason: string }
  /** It took the connection and said nothing in time. */
  | { readonly kind: "silent"; readonly reason: string }
  /** Something answers, and it is not Aloha. */
  | { readonly kind: "foreign"; readonly reason: string };

/** Asks the action server: `GET /` is the only health endpoint of the product. */
export async function probeServer(serverUrl: string, limits: CallLimits): Promise<Liveness> {
  return judge(await exchangeRepeatedly({ method: "GET", url: `${serverUrl}/` }, limits), 200);
}

/**
 * Asks the client. It has no health endpoint; a GET where only POST is taken changes nothing and says 405. `/stop` must
 * never be asked: it stops what runs.
 */
export async function probeClient(clientUrl: string, limits: CallLimits): Promise<Liveness> {
  return judge(await exchangeRepeatedly({ method: "GET", url: `${clientUrl}/run_task` }, limits), 405);
}

function judge(done: Exchange, expected: number): Liveness {
  if (done.kind === "lost") return { kind: done.timedOut ? "silent" : "unreachable", reason: done.reason };
  if (done.status === expected) return { kind: "alive" };
  return { kind: "foreign", reason: `it answers ${done.status} where Aloha answers ${expected}` };
}
