import type { Browser } from "playwright-core";
import { settlesWithin, unlessAborted } from "../../clock.ts";
import { authorityOf } from "../model/endpoint.ts";
import { checkServer } from "./check-server.ts";
import { failure } from "./failure.ts";
import { loadChromium } from "./load-playwright.ts";
import { openRoute, type Route } from "./open-route.ts";
import type { ServerParts } from "./server-parts.ts";

/** A connection to a browser server. Its contexts are those of this connection only, and end with it. */
export interface BrowserConnection extends AsyncDisposable {
  readonly browser: Browser;
  readonly via: Route["via"];
}

/** A connection that does not close by itself in this time is left to the end of its route. */
const CLOSE_MS = 2_000;

/**
 * Connects to the browser server of a host, through SSH where the configuration says so, after {@link checkServer}.
 *
 * @throws AppError as `checkServer` and the host do; the reason of the signal as soon as it fires. No error holds the
 *   secret path.
 */
export async function connectBrowser(parts: ServerParts, signal: AbortSignal): Promise<BrowserConnection> {
  await using opened = new AsyncDisposableStack();
  const route = opened.use(await openRoute(parts, signal));
  const [chromium] = await Promise.all([loadChromium(), checkServer(route, parts, signal)]);
  const endpoint = `ws://${authorityOf(route.endpoint)}${parts.wsPath.value}`;
  const connecting = chromium.connect(endpoint, { timeout: parts.timeoutMs });
  try {
    const browser = await unlessAborted(connecting, signal);
    opened.defer(() => closeBrowser(browser, parts));
  } catch (error) {
    connecting.then((late) => late.close()).catch(() => {});
    signal.throwIfAborted();
    throw explainConnect(error, parts);
  }
  const browser = await connecting;
  const kept = opened.move();
  return { browser, via: route.via, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function closeBrowser(browser: Browser, { clock }: ServerParts): Promise<void> {
  await settlesWithin(clock, CLOSE_MS, browser.close());
}

/** The server was there a moment ago; only the first line of Playwright's text is said, and that without the endpoint. */
function explainConnect(error: unknown, { server, wsPath, timeoutMs }: ServerParts): Error {
  const where = authorityOf(server);
  if (error instanceof Error && error.name === "TimeoutError")
    return failure("TIMEOUT", "timeout", `the browser server at ${where} did not connect within ${timeoutMs} ms`);
  const [line = ""] = wsPath.redact(error instanceof Error ? error.message : String(error)).split("\n", 1);
  return failure("HOST_UNREACHABLE", "unreachable", `the browser server at ${where} broke off: ${line}`);
}
