import { formatDuration } from "../../../duration.ts";
import { AppError } from "../../../error.ts";
import { readWsPath } from "../../../host/playwright/ws-path.ts";
import type { Command } from "../../command.ts";
import { directCommand } from "./direct-command.ts";

/** `playwright run`: one page in the browser of a Windows machine. */
export const playwrightRun: Command = directCommand({
  name: "playwright run",
  type: "playwright.run",
  summary: "Open a page in the browser of a Windows machine, and keep what it shows.",
  description:
    "Needs the browser server (playwright install) and PLAYWRIGHT_WS_PATH. --timeout defaults to the configured timeout. The job is stored like any other, so limits, policy, history and artifacts apply.",
  input(call, said) {
    if (said["url"] === undefined) throw new AppError("USAGE", `${call.command} needs --url, the page to open`);
    return said;
  },
  options({ timeoutMs, playwright }, { isAsync }) {
    // A worker has a secret of its own; a job that is run here and has none would only be stored to fail.
    if (!isAsync) readWsPath(playwright.wsPath);
    return { timeout: formatDuration(timeoutMs) };
  },
});
