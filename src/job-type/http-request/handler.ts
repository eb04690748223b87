import { lookup } from "node:dns/promises";
import type { EffectContext, Handlers } from "../../attempt/handlers.ts";
import type { Clock } from "../../clock.ts";
import { addressRules } from "./address-rules.ts";
import type { HttpRequestInput } from "./http-request.ts";
import { RequestChain } from "./request-chain.ts";
import type { LookUp } from "./resolve-target.ts";

/** What the handler of `http.request` needs. */
export interface HttpRequestOptions {
  /** `http_request.allow`: host names, addresses and CIDR ranges that are not public and may be reached. */
  readonly allow: readonly string[];
  /** `http_request.body_bytes`: where a kept body is cut. */
  readonly bodyBytes: number;
  /** Time to find and reach a host, for each request of a chain of redirects. */
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  /** Default: the system's resolver. */
  readonly lookUp?: LookUp;
}

/**
 * The code of `http.request`.
 *
 * @throws AppError `CONFIG` when an entry of `allow` is no host name, address or CIDR range.
 */
export function httpRequestHandlers(options: HttpRequestOptions): Handlers {
  const { clock, bodyBytes, connectTimeoutMs } = options;
  const lookUp: LookUp = options.lookUp ?? ((hostname) => lookup(hostname, { all: true }));
  const reach = { rules: addressRules(options.allow), lookUp, connectTimeoutMs, clock };
  return {
    run: (input: HttpRequestInput, ctx: EffectContext) => new RequestChain(input, ctx, { reach, bodyBytes }).run(),
  };
}
