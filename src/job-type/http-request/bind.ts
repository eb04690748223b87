import type { Handlers } from "../../attempt/handlers.ts";
import type { BindParts } from "../bind-parts.ts";
import { httpRequestHandlers } from "./handler.ts";

/** Binds `http.request` to the network, as far as configuration lets it reach. */
export function bindHttpRequest({ config, clock }: BindParts): Handlers {
  const { allow, bodyBytes } = config.httpRequest;
  return httpRequestHandlers({ allow, bodyBytes, connectTimeoutMs: config.timeoutMs, clock });
}
