import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Program } from "../program.ts";
import { hasFailingScript, relayRequests } from "./failing-scripts.ts";
import { makeShims } from "./shims.ts";

const MODULES = fileURLToPath(new URL("./modules", import.meta.url));
const CLASSES = join(MODULES, "windows-classes.ps1");
const CMDLET = fileURLToPath(new URL("./cmdlet.ts", import.meta.url));
const PROFILE = fileURLToPath(new URL("./profile.ps1", import.meta.url));

/** The real PowerShell that tests may use: `WINDLASS_TEST_PWSH`, or `pwsh` on PATH. */
export function findPwsh(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const named = env["WINDLASS_TEST_PWSH"];
  if (named !== undefined && named !== "") return named;
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, "pwsh")).find((path) => existsSync(path));
}

/** From now on the machine's `powershell.exe` is this one. */
export function giveRealPowerShell(folder: string, pwsh: string): void {
  symlinkSync(pwsh, join(folder, "pwsh"));
  // PowerShell finds nothing below a folder with a colon in its name.
  symlinkSync("C:", join(folder, "drive"));
}

/** The one that the machine was given. */
export function realPowerShell(folder: string): string | undefined {
  const path = join(folder, "pwsh");
  return existsSync(path) ? path : undefined;
}

/**
 * Runs the real PowerShell as a process of the machine. Programs are found through scripts of the same names, cmdlets and
 * classes that only Windows has are functions and classes over the machine's state, and `C:` is a drive. It has 8 bits of
 * exit codes, and paths are case-sensitive.
 */
export async function runReal(program: Program, pwsh: string): Promise<number> {
  const { folder } = program.context;
  const shims = makeShims(program);
  const config = join(folder, "pwsh-config", "powershell");
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, "profile.ps1"), readFileSync(PROFILE));
  const { WINSIM_EXIT_FILE: _, ...inherited } = process.env;
  const shell = /(^|\\)cmd(\.exe)?$/i.test(program.machine.settings.defaultShell) ? "cmd.exe" : "powershell.exe";
  // Its own profile is where the simulator's drive comes from; there is no other.
  const args = program.args.filter((word) => word.toLowerCase() !== "-noprofile");
  const isRelayed = hasFailingScript(program.machine);
  const child = spawn(pwsh, args, {
    // The numbers of a session: what ends a runner's tree finds orphans by them.
    detached: true,
    // A path such as C:/ProgramData is relative here.
    cwd: folder,
    stdio: [isRelayed ? "pipe" : "inherit", "inherit", "inherit"],
    env: {
      ...inherited,
      PATH: shims,
      SHELL: join(shims, shell),
      XDG_CONFIG_HOME: join(folder, "pwsh-config"),
      XDG_CACHE_HOME: join(folder, "pwsh-cache"),
      XDG_DATA_HOME: join(folder, "pwsh-data"),
      PSModulePath: MODULES,
      POWERSHELL_TELEMETRY_OPTOUT: "1",
      POWERSHELL_UPDATECHECK: "Off",
      WINSIM_NODE: process.execPath,
      WINSIM_CMDLET: CMDLET,
      WINSIM_CLASSES: CLASSES,
    },
  });
  const ended = once(child, "exit");
  if (child.stdin !== null) void relayRequests(program.machine, process.stdin, child.stdin);
  const [code] = await ended;
  return (code as number | null) ?? 1;
}
