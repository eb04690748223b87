import type { Browser, Page } from "playwright-core";
import { type Clock, settlesWithin, unlessAborted } from "../../clock.ts";
import { Evidence } from "./evidence.ts";
import type { PlaywrightRunInput, PlaywrightRunResult } from "./playwright-run.ts";

/** What a visit stands on. */
export interface VisitParts {
  readonly browser: Browser;
  /** The attempt's. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Takes the secret path out of a text. */
  redact(text: string): string;
}

const WINDOW = { width: 1280, height: 720 };
/** How long a visit that failed may take for its evidence; less than what a stopped attempt has left. */
const LAST_LOOK_MS = 2_000;

/**
 * Opens a page in a context of its own and keeps what was asked for, also when the page fails or time runs out. The
 * page has no time limit but the attempt's.
 *
 * @throws AppError `ARTIFACT_MISSING`; what Playwright throws; the reason of the signal as soon as it fires.
 */
export async function visitPage(input: PlaywrightRunInput, parts: VisitParts): Promise<PlaywrightRunResult> {
  const { browser, signal, folder } = parts;
  const evidence = new Evidence(folder, input, parts.redact);
  const page = await unlessAborted(openPage(browser, input), signal);
  try {
    await unlessAborted(evidence.start(page), signal);
    const result = await unlessAborted(goTo(page, input), signal);
    await unlessAborted(evidence.write(page), signal);
    await evidence.prove({ title: result.title, final_url: result.final_url });
    return result;
  } catch (error) {
    const wantsLook = !signal.aborted || signal.reason === "timeout";
    if (wantsLook && !page.isClosed()) await lastLook(evidence, page, parts.clock);
    throw error;
  }
}

async function openPage(browser: Browser, { video }: PlaywrightRunInput): Promise<Page> {
  const recording = video ? { recordVideo: { size: WINDOW } } : {};
  const context = await browser.newContext({ viewport: WINDOW, acceptDownloads: false, ...recording });
  context.setDefaultTimeout(0);
  return context.newPage();
}

async function goTo(page: Page, { url, wait_until: waitUntil }: PlaywrightRunInput): Promise<PlaywrightRunResult> {
  const response = await page.goto(url, { waitUntil });
  const title = await page.title();
  return { title, final_url: withoutCredentials(page.url()), status: response?.status() ?? null, state: "completed" };
}

/** A page that hangs gives no evidence; it must not keep the attempt. */
async function lastLook(evidence: Evidence, page: Page, clock: Clock): Promise<void> {
  await settlesWithin(clock, LAST_LOOK_MS, evidence.write(page));
}

function withoutCredentials(text: string): string {
  const url = URL.parse(text);
  if (url === null || (url.username === "" && url.password === "")) return text;
  url.username = "";
  url.password = "";
  return url.href;
}
