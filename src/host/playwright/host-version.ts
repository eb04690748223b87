import { z } from "zod";
import type { HostAccess } from "./host-access.ts";

/** Where the server's files lie on the host; `/` because sftp takes nothing else. */
export const SERVER_FOLDER = "C:/ProgramData/win-automation/playwright";

/** The scheduled task that runs the server. */
export const SERVER_TASK = "WinAutomation-Playwright";

const Version = z.string().regex(/^\d+\.\d+\.\d+/);

const Answer = z.object({
  node: Version.nullable(),
  installed: Version.nullable(),
  running: Version.nullable(),
});

/** What the host says of itself. */
export type HostVersion = z.output<typeof Answer>;

/**
 * Asks the host for its versions: of Node, of the installed Playwright (beside the server or global), and of the server
 * that runs, where that was started by us.
 */
export async function askHostVersion(
  access: HostAccess,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<HostVersion> {
  return Answer.parse(await access.call("playwright-version", { folder: SERVER_FOLDER }, limits));
}
