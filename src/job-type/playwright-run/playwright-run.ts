import { z } from "zod";
import { isAppError } from "../../error.ts";
import { defineJob } from "../../job/definition.ts";
import { HostName, webUrl } from "../fields.ts";

/** When a page counts as open, as Playwright names it. */
const WAIT_UNTIL = ["load", "domcontentloaded", "networkidle", "commit"] as const;

const Url = webUrl({
  noSecret: "a URL shows in the result, in the trace and on the screen",
  onlyWeb: "are opened, because others run code or read files on the machine",
});

const Input = z.strictObject({
  url: Url.describe(
    "The page to open: http or https, without user name and password. It is opened from where the browser stands, so a name or an address is that machine's.",
  ),
  screenshot: z
    .boolean()
    .default(false)
    .describe("Keep playwright/screenshot.png: what a window of 1280 x 720 shows, not the whole page."),
  trace: z
    .boolean()
    .default(false)
    .describe("Keep playwright/trace.zip for Playwright's trace viewer; it holds what the page sent and received."),
  video: z
    .boolean()
    .default(false)
    .describe("Keep playwright/video.webm; the browser's machine needs Playwright's ffmpeg."),
  wait_until: z
    .enum(WAIT_UNTIL)
    .default("load")
    .describe("When the page counts as open; networkidle is half a second without requests."),
  host: HostName.describe("The machine whose browser opens it: a name of the block hosts, or default."),
});

const Result = z.strictObject({
  title: z.string().describe("The title of the page."),
  final_url: z.string().describe("Where it ended, after redirects."),
  status: z.int().nullable().describe("The HTTP status of the page; any status completes. Null when there was none."),
  state: z.literal("completed"),
});

/** The input of `playwright.run` as its handler receives it. */
export type PlaywrightRunInput = z.output<typeof Input>;

/** The result of `playwright.run`. */
export type PlaywrightRunResult = z.output<typeof Result>;

/**
 * Opens a page in the browser of a Windows machine, in a context of its own. It completes when the page is open, whatever
 * its HTTP status. The browser runs there; screenshot, trace and video are written here, also of a page that failed.
 *
 * Tried again: what may be better the next time, that is a machine or a network that cannot be reached, and time that ran
 * out. After a crash of the worker it is opened again.
 */
export const playwrightRun = defineJob({
  name: "playwright.run",
  input: Input,
  result: Result,
  afterCrash: "rerun",
  retryable: canPass,
});

function canPass(error: unknown): boolean {
  if (!isAppError(error)) return false;
  if (error.code === "PAGE_FAILED") return error.details["passing"] === true;
  return error.code === "HOST_UNREACHABLE" || error.code === "TIMEOUT";
}
