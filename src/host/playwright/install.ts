import { readFile } from "node:fs/promises";
import { z } from "zod";
import { AppError, isAppError } from "../../error.ts";
import { hostQuestion } from "../powershell/scripts.ts";
import { failure } from "./failure.ts";
import type { HostAccess } from "./host-access.ts";
import { askHostVersion, type HostVersion, SERVER_FOLDER } from "./host-version.ts";
import type { WsPath } from "./ws-path.ts";

/** What is installed where. */
export interface InstallOrder {
  readonly hostName: string;
  readonly port: number;
  /** The address that the server listens on. */
  readonly bind: string;
  /** Default: the account of the SSH session. */
  readonly runAs?: string | undefined;
  readonly wsPath: WsPath;
}

/** What an installation came to. */
export interface Installed {
  /** That the server runs under. */
  readonly account: string;
  /** Of the Playwright that runs. */
  readonly version: string;
  /** The secret path differs from the one before. */
  readonly isRotated: boolean;
}

interface Limits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const ASSETS = ["launch-server.js", "install-playwright.ps1"] as const;

/** A name, a path or a line of a log; longer ones are refused before anybody prints them. */
const Said = z.string().max(4_000);

/** The script waits 10 s for an old server, 30 s for the new one. */
const START_LIMIT_MS = 60_000;

type Folder = { readonly folder: string };
type Account = { readonly run_as: string };

const Prepared = z.object({
  state: z.enum(["ready", "unknown_account", "foreign_folder"]),
  account: Said,
  path: Said,
});
const PREPARE = hostQuestion<Folder & Account, z.infer<typeof Prepared>>("playwright-install-prepare", Prepared);

const Secret = z.object({ changed: z.boolean() });
const SECRET = hostQuestion<Folder & { readonly ws_path: string }, z.infer<typeof Secret>>(
  "playwright-install-secret",
  Secret,
);

const Started = z.object({ state: z.enum(["installed", "not_started"]), account: Said, version: Said, log: Said });
const TASK = hostQuestion<
  Folder &
    Account & {
      readonly port: number;
      readonly bind: string;
      readonly node_path: string;
      readonly modules: string;
    },
  z.infer<typeof Started>
>("playwright-install-task", Started);

/**
 * Installs the browser server on a machine and starts it: its folder, the two files, the secret path, the scheduled task.
 * Again: everything is written anew, the secret path is the one of now, the task is restarted. Installs neither Node nor
 * Playwright. The secret path goes to the machine as data of a script, never on a command line.
 *
 * @throws AppError `PREREQUISITE_MISSING` (`missing_node`, `missing_playwright`), `CONFIG` for an account that the
 *   machine does not know, `SCRIPT_FAILED` when the server does not start or the folder is a stranger's; what the host throws.
 */
export async function installServer(access: HostAccess, order: InstallOrder, limits: Limits): Promise<Installed> {
  try {
    return await install(access, order, limits);
  } catch (error) {
    if (!isAppError(error)) throw error;
    // The machine is told the secret, and what it says of its own may repeat it; so no cause either.
    throw new AppError(error.code, order.wsPath.redact(error.message), { details: error.details });
  }
}

async function install(access: HostAccess, order: InstallOrder, limits: Limits): Promise<Installed> {
  const found = await askHostVersion(access, limits);
  requireAll(found, order.hostName);
  const account = { run_as: order.runAs ?? "" };
  const prepared = await access.ask(PREPARE, { folder: SERVER_FOLDER, ...account }, limits);
  refuseUnprepared(prepared, order);
  for (const name of ASSETS) {
    const content = await readFile(new URL(`./assets/${name}`, import.meta.url));
    await access.upload(content, `${SERVER_FOLDER}/${name}`, limits);
  }
  const path = order.wsPath.value.slice(1);
  const { changed } = await access.ask(SECRET, { folder: SERVER_FOLDER, ws_path: path }, limits);
  const where = { folder: SERVER_FOLDER, port: order.port, bind: order.bind };
  const programs = { node_path: found.node_path ?? "", modules: found.modules ?? "" };
  const startLimits = { ...limits, timeoutMs: Math.max(START_LIMIT_MS, limits.timeoutMs) };
  const started = await access.ask(TASK, { ...where, ...account, ...programs }, startLimits);
  if (started.state === "installed") return { account: started.account, version: started.version, isRotated: changed };
  const said = order.wsPath.redact(started.log === "" ? "it wrote nothing to its log" : started.log);
  const message = `the browser server on ${order.hostName} does not start; run/server.log in ${SERVER_FOLDER}: ${said}`;
  throw failure("SCRIPT_FAILED", "not_started", message);
}

function requireAll({ node, installed }: HostVersion, hostName: string): void {
  if (node === null) {
    const remedy = "install Node.js 20 or newer there (https://nodejs.org), and open a new SSH session";
    throw failure("PREREQUISITE_MISSING", "missing_node", `${hostName} has no Node.js in its PATH; ${remedy}`);
  }
  if (installed === null) {
    const commands = "`npm install --global playwright` and then `npx playwright install chromium ffmpeg`";
    const message = `${hostName} has no Playwright; run ${commands} there`;
    throw failure("PREREQUISITE_MISSING", "missing_playwright", message);
  }
}

function refuseUnprepared({ state, account, path }: z.infer<typeof Prepared>, { hostName }: InstallOrder): void {
  if (state === "unknown_account") throw new AppError("CONFIG", `run_as ${account} is no account of ${hostName}`);
  if (state === "foreign_folder") {
    const reason = "belongs to an account that is no administrator, and what lies in it would be run";
    throw failure("SCRIPT_FAILED", "not_installed", `${path} on ${hostName} ${reason}; look into it and remove it`);
  }
}
