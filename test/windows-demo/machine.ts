import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHROMIUM_ARGS, linkPlaywright } from "../support/browser-server.ts";
import { startWindowsSimulator, type WindowsSimulator } from "../support/windows-simulator/simulator.ts";

/** Where Aloha's client writes its log. */
export const ALOHA_LOG = "C:\\ProgramData\\win-automation\\aloha\\client.log";
const PLAYWRIGHT_MODULES = "C:\\ProgramData\\win-automation\\playwright\\node_modules";

/** Starts the simulated machine with Playwright installed as npm leaves it. When it ends, what it saw stays in `folder`. */
export async function startMachine(folder: string): Promise<WindowsSimulator & AsyncDisposable> {
  const windows = await startWindowsSimulator({
    environment: {
      WINDLASS_CHROMIUM: "/usr/bin/chromium",
      WINDLASS_CHROMIUM_ARGS: JSON.stringify(CHROMIUM_ARGS),
      PLAYWRIGHT_BROWSERS_PATH: "C:\\browsers",
      // Chromium's socket lies below: the real path of the usual folder is too long for one.
      TEMP: "C:\\Temp",
    },
  });
  windows.putFile(ALOHA_LOG, "");
  mkdirSync(windows.path("C:\\Temp"));
  linkPlaywright(windows.path(PLAYWRIGHT_MODULES), "playwright-core");
  if (existsSync("/usr/bin/ffmpeg")) {
    const ffmpeg = windows.path("C:\\browsers\\ffmpeg-1013");
    mkdirSync(ffmpeg, { recursive: true });
    symlinkSync("/usr/bin/ffmpeg", join(ffmpeg, "ffmpeg-linux"));
  }
  return Object.assign(windows, {
    [Symbol.asyncDispose]: async () => {
      keepEvidence(windows, folder);
      await windows.stop();
    },
  });
}

function keepEvidence(windows: WindowsSimulator, folder: string): void {
  const events = windows.events().map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(join(folder, "windows-events.ndjson"), events.join(""), { mode: 0o600 });
  copyFileSync(windows.path(ALOHA_LOG), join(folder, "aloha-client.log"));
  writeFileSync(join(folder, "sshd.log"), windows.ssh.log());
}
