import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { profileFolder } from "./environment.ts";
import { executableText } from "./executables.ts";
import type { Machine } from "./state.ts";
import { realPath } from "./windows-path.ts";

const SYSTEM32 = "C:\\Windows\\System32";
const TOOLS = "C:\\Tools";

/** Programs of Windows, and the ones for tests in `C:\Tools`, by the module that is each. */
const MODULES: Readonly<Record<string, string>> = {
  [`${SYSTEM32}\\cmd.exe`]: "./cmd/main.ts",
  [`${SYSTEM32}\\chcp.com`]: "./programs/chcp.ts",
  [`${SYSTEM32}\\findstr.exe`]: "./programs/findstr.ts",
  [`${SYSTEM32}\\HOSTNAME.EXE`]: "./programs/hostname.ts",
  [`${SYSTEM32}\\icacls.exe`]: "./programs/icacls.ts",
  [`${SYSTEM32}\\netsh.exe`]: "./programs/netsh.ts",
  [`${SYSTEM32}\\PING.EXE`]: "./programs/ping.ts",
  [`${SYSTEM32}\\query.exe`]: "./programs/query.ts",
  [`${SYSTEM32}\\quser.exe`]: "./programs/quser.ts",
  [`${SYSTEM32}\\sc.exe`]: "./programs/sc.ts",
  [`${SYSTEM32}\\schtasks.exe`]: "./programs/schtasks.ts",
  [`${SYSTEM32}\\svchost.exe`]: "./programs/svchost.ts",
  [`${SYSTEM32}\\taskkill.exe`]: "./programs/taskkill.ts",
  [`${SYSTEM32}\\tasklist.exe`]: "./programs/tasklist.ts",
  [`${SYSTEM32}\\timeout.exe`]: "./programs/timeout.ts",
  [`${SYSTEM32}\\where.exe`]: "./programs/where.ts",
  [`${SYSTEM32}\\whoami.exe`]: "./programs/whoami.ts",
  [`${SYSTEM32}\\WindowsPowerShell\\v1.0\\powershell.exe`]: "./powershell/main.ts",
  [`${TOOLS}\\argv-echo.exe`]: "./programs/argv-echo.ts",
  [`${TOOLS}\\exit-with.exe`]: "./programs/exit-with.ts",
  [`${TOOLS}\\leave-child.exe`]: "./programs/leave-child.ts",
  [`${TOOLS}\\sleeper.exe`]: "./programs/sleeper.ts",
  [`${TOOLS}\\spew.exe`]: "./programs/spew.ts",
};

const PWSH = "C:\\Program Files\\PowerShell\\7\\pwsh.exe";
const NODE = "C:\\Program Files\\nodejs\\node.exe";

/** Fills the disk of a new machine: a file for every program, and the folders that Windows has. */
export function installWindows(machine: Machine): void {
  const { user, powershellVersion } = machine.settings;
  for (const [path, module] of Object.entries(MODULES)) putFile(machine, path, executableText("module", module));
  if (!powershellVersion.startsWith("5.")) putFile(machine, PWSH, executableText("module", "./powershell/main.ts"));
  putFile(machine, NODE, executableText("node"));
  for (const owner of [user, "SYSTEM"]) makeFolder(machine, `${profileFolder(owner)}\\AppData\\Local\\Temp`);
  for (const folder of ["ProgramData", "Program Files (x86)", "Users\\Public", "Windows\\Temp"]) {
    makeFolder(machine, `C:\\${folder}`);
  }
}

/** Puts a file on the machine's disk, with the folders above it. */
export function putFile(machine: Machine, path: string, content: string | Uint8Array): void {
  const real = realPath(machine.folder, path, "C:\\");
  if (real === undefined) throw new Error(`${path} does not lie on C:`);
  mkdirSync(dirname(real), { recursive: true });
  writeFileSync(real, content);
}

function makeFolder(machine: Machine, path: string): void {
  const real = realPath(machine.folder, path, "C:\\");
  if (real !== undefined) mkdirSync(real, { recursive: true });
}
