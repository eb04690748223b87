import http from "node:http";
import { type CallLimits, withDeadline } from "./deadline.ts";
import { authorityOf, type Endpoint } from "./endpoint.ts";

/**
 * True when the browser server tells its secret path to whoever reaches its port, as a plain Playwright server does
 * (`GET /json`). Ours does not; one that was started otherwise, or an older one, may.
 *
 * @throws what the network throws: a server that cannot be asked does not count as tight.
 */
export function leaksPath(endpoint: Endpoint, limits: CallLimits): Promise<boolean> {
  return withDeadline(limits, async (signal) => (await getJson(endpoint, signal)).includes('"wsEndpointPath"'));
}

async function getJson({ host, port }: Endpoint, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { host: host.replace(/^\[(.*)\]$/, "$1"), port, path: "/json", agent: false, signal };
  const request = http.request({ ...options, headers: { host: authorityOf({ host, port }) } });
  request.once("error", reject);
  request.once("response", (response) => {
    let text = "";
    response.setEncoding("latin1");
    response.on("data", (chunk: string) => {
      text = (text + chunk).slice(0, 4_096);
    });
    response.once("end", () => resolve(text)).once("error", reject);
  });
  request.end();
  return promise;
}
