import { z } from "zod";
import { MACHINE_FOLDER } from "../model/on-machine.ts";
import { hostQuestion } from "../powershell/scripts.ts";
import type { HostAccess } from "./host-access.ts";

/** Where the server's files lie on the host. */
export const SERVER_FOLDER = `${MACHINE_FOLDER}/playwright`;

/** The scheduled task that runs the server. */
export const SERVER_TASK = "WinAutomation-Playwright";

const Version = z.string().regex(/^\d+\.\d+\.\d+[\w.+-]{0,60}$/);

const HostVersion = z.object({
  node: Version.nullable(),
  node_path: z.string().nullable(),
  /** Of Playwright, where the server finds it. */
  installed: Version.nullable(),
  /** The folder node_modules that has it. */
  modules: z.string().nullable(),
  /** Of the server that runs, where it was started by us. */
  running: Version.nullable(),
});

/** What the host says of Node and Playwright. */
export type HostVersion = z.output<typeof HostVersion>;
const PLAYWRIGHT_VERSION = hostQuestion<{ readonly folder: string }, HostVersion>("playwright-version", HostVersion);

/** Asks the host for its versions; installed globally counts as installed. */
export function askHostVersion(
  access: HostAccess,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<HostVersion> {
  return access.ask(PLAYWRIGHT_VERSION, { folder: SERVER_FOLDER }, limits);
}
