import type { CallLimits } from "../../clock.ts";
import { threeAttempts } from "../three-attempts.ts";
import { type Exchange, exchange, type HttpRequest } from "./exchange.ts";

/** Sends a request that may arrive twice: up to three times, as long as what went wrong passes by itself. */
export function exchangeRepeatedly(request: HttpRequest, limits: CallLimits): Promise<Exchange> {
  return repeat(request, limits, (done) => (done.kind === "lost" ? done.transient : isGatewayError(done.status)));
}

/** Sends a request that may not arrive twice: again only when no connection was ever open. */
export function exchangeOnce(request: HttpRequest, limits: CallLimits): Promise<Exchange> {
  return repeat(request, limits, (done) => done.kind === "lost" && done.transient && !done.sent);
}

/** An answer of something in between: whether the one that was meant got the request is not known. */
export function isGatewayError(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

function repeat(request: HttpRequest, limits: CallLimits, isTransient: (done: Exchange) => boolean): Promise<Exchange> {
  // Of the limits only the signal counts for all attempts together; each has the whole time.
  const { clock, signal } = limits;
  return threeAttempts(() => exchange(request, limits), isTransient, { clock, signal });
}
