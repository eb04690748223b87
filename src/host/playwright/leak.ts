import type { CallLimits } from "../../clock.ts";
import { exchange } from "../http/exchange.ts";
import { authorityOf, type Endpoint } from "../model/endpoint.ts";
import { failure } from "./failure.ts";

/**
 * True when the browser server tells its secret path to whoever reaches its port, as a plain Playwright server does
 * (`GET /json`). Ours does not; one that was started otherwise, or an older one, may.
 *
 * @throws AppError `HOST_UNREACHABLE`, `TIMEOUT`: a server that cannot be asked does not count as tight; the reason of the
 *   signal.
 */
export async function leaksPath(endpoint: Endpoint, limits: CallLimits): Promise<boolean> {
  const url = `http://${authorityOf(endpoint)}/json`;
  const done = await exchange({ method: "GET", url }, limits);
  limits.signal.throwIfAborted();
  if (done.kind === "answer") return done.body.includes('"wsEndpointPath"');
  // Without the reason, which may hold what the server said.
  const message = `the browser server at ${authorityOf(endpoint)} gave no answer to GET /json`;
  throw done.timedOut ? failure("TIMEOUT", "timeout", message) : failure("HOST_UNREACHABLE", "unreachable", message);
}
