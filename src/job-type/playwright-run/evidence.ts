import { chmod, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { AppError } from "../../error.ts";
import type { PlaywrightRunInput } from "./playwright-run.ts";

/** Files that a visit was asked to keep, relative to the attempt's folder. */
const FILES = { screenshot: "screenshot.png", trace: "trace.zip", video: "video.webm" } as const;
type Kind = keyof typeof FILES;

/** Where an attempt keeps them. */
const FOLDER = "playwright";

const SCREENSHOT_TRIES = 10;
const SCREENSHOT_WAIT_MS = 100;

/** What a visit keeps of its page. The client writes the files, here; the browser's machine keeps none. */
export class Evidence {
  readonly #folder: string;
  readonly #wanted: ReadonlySet<Kind>;
  readonly #redact: (text: string) => string;
  /** Why a file could not be written. */
  readonly #reasons = new Map<Kind, string>();

  constructor(folder: string, input: PlaywrightRunInput, redact: (text: string) => string) {
    this.#folder = join(folder, FOLDER);
    this.#wanted = new Set((["screenshot", "trace", "video"] as const).filter((kind) => input[kind]));
    this.#redact = redact;
  }

  /** Begins to record, before the page opens anything. */
  async start(page: Page): Promise<void> {
    if (this.#wanted.size > 0) await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (this.#wanted.has("trace")) await page.context().tracing.start({ screenshots: true, snapshots: true });
  }

  /**
   * Writes every file that was asked for and closes the page's context, which ends the video. One that fails keeps none
   * of the others from being written.
   */
  async write(page: Page): Promise<void> {
    const context = page.context();
    const video = page.video();
    await this.#keep("screenshot", (path) => takeScreenshot(page, path));
    await this.#keep("trace", (path) => context.tracing.stop({ path }));
    await context.close().catch(() => {});
    await this.#keep("video", async (path) => video?.saveAs(path));
  }

  /** @throws AppError `ARTIFACT_MISSING` naming what is not there. */
  async prove(facts: Readonly<Record<string, unknown>>): Promise<void> {
    const missing: string[] = [];
    for (const kind of this.#wanted) {
      const reason = this.#reasons.get(kind) ?? (await this.#emptiness(kind));
      if (reason !== undefined) missing.push(`${FOLDER}/${FILES[kind]} (${reason})`);
    }
    if (missing.length === 0) return;
    const message = `the page was open, but these files could not be written: ${missing.join(", ")}`;
    throw new AppError("ARTIFACT_MISSING", message, { details: { ...facts } });
  }

  async #emptiness(kind: Kind): Promise<string | undefined> {
    const found = await stat(join(this.#folder, FILES[kind])).catch(() => undefined);
    return found !== undefined && found.size > 0 ? undefined : "it is empty";
  }

  /** What could not be written is missed by {@link prove}. */
  async #keep(kind: Kind, write: (path: string) => Promise<unknown>): Promise<void> {
    if (!this.#wanted.has(kind)) return;
    const path = join(this.#folder, FILES[kind]);
    try {
      // There before it is written, so that a worker that dies meanwhile leaves nothing that others may read.
      await writeFile(path, "", { mode: 0o600, flag: "a" });
      await write(path);
      await chmod(path, 0o600);
    } catch (error) {
      if ((await stat(path).catch(() => undefined))?.size === 0) await rm(path, { force: true });
      const [line = ""] = this.#redact(error instanceof Error ? error.message : String(error)).split("\n", 1);
      this.#reasons.set(kind, line);
    }
  }
}

/** Chromium refuses while it changes from one page to the next, and gives the picture a moment later. */
async function takeScreenshot(page: Page, path: string): Promise<void> {
  for (let left = SCREENSHOT_TRIES - 1; ; left--) {
    try {
      await page.screenshot({ path });
      return;
    } catch (error) {
      const passes = error instanceof Error && error.message.includes("Unable to capture screenshot");
      if (left === 0 || !passes) throw error;
      await page.waitForTimeout(SCREENSHOT_WAIT_MS);
    }
  }
}
