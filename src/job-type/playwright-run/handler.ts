import type { EffectContext, Handlers } from "../../attempt/handlers.ts";
import { type BrowserConnection, connectBrowser } from "../../host/playwright/connect-browser.ts";
import type { ServerParts } from "../../host/playwright/server-parts.ts";
import { explainFailure } from "./explain-failure.ts";
import type { PlaywrightRunInput, PlaywrightRunResult } from "./playwright-run.ts";
import { visitPage } from "./visit-page.ts";

/** What the handler of `playwright.run` needs. */
export interface PlaywrightRunOptions {
  /** @throws AppError `UNKNOWN_HOST`, `CONFIG`. */
  readonly serverOf: (host: string, ctx: EffectContext) => ServerParts;
}

/** The code of `playwright.run`. */
export function playwrightRunHandlers({ serverOf }: PlaywrightRunOptions): Handlers {
  return { run: (input: PlaywrightRunInput, ctx: EffectContext) => run(input, serverOf(input.host, ctx), ctx) };
}

async function run(
  input: PlaywrightRunInput,
  parts: ServerParts,
  { folder, signal, log }: EffectContext,
): Promise<PlaywrightRunResult> {
  const { clock, wsPath } = parts;
  let connection: BrowserConnection | undefined;
  try {
    connection = await connectBrowser(parts, signal);
    const { browser, via } = connection;
    log.info("browser connected", { host: parts.hostName, via, browser: browser.version() });
    const result = await visitPage(input, { browser, folder, signal, clock, redact: wsPath.redact });
    return { ...result, title: wsPath.redact(result.title), final_url: wsPath.redact(result.final_url) };
  } catch (error) {
    const isConnected = connection?.browser.isConnected() ?? true;
    throw explainFailure(error, {
      url: input.url,
      waitUntil: input.wait_until,
      signal,
      isConnected,
      redact: wsPath.redact,
    });
  } finally {
    await connection?.[Symbol.asyncDispose]();
  }
}
