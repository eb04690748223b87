import { type AlohaRequest, type CallOptions, type Exchange, exchange } from "./exchange.ts";
import { pauseOrStop } from "./pause-or-stop.ts";

/** Waits before the second and the third attempt. */
const WAITS_MS = [500, 1_000];

/** Sends a request that may arrive twice: up to three times, as long as what went wrong passes by itself. */
export function exchangeRepeatedly(request: AlohaRequest, options: CallOptions): Promise<Exchange> {
  return repeat(request, options, (done) => (done.kind === "lost" ? done.transient : isGatewayError(done.status)));
}

/** Sends a request that may not arrive twice: again only when no connection was ever open. */
export function exchangeOnce(request: AlohaRequest, options: CallOptions): Promise<Exchange> {
  return repeat(request, options, (done) => done.kind === "lost" && done.transient && !done.sent);
}

/** An answer of something between us and Aloha: whether Aloha got the request is not known. */
export function isGatewayError(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

async function repeat(
  request: AlohaRequest,
  options: CallOptions,
  isWorthRepeating: (done: Exchange) => boolean,
): Promise<Exchange> {
  for (const waitMs of WAITS_MS) {
    const done = await exchange(request, options);
    if (options.signal.aborted || !isWorthRepeating(done)) return done;
    await pauseOrStop(options.clock, waitMs, options.signal);
    if (options.signal.aborted) return done;
  }
  return exchange(request, options);
}
