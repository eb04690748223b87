import { spawn } from "node:child_process";
import { helperEnvironment } from "../../host/local/environment.ts";
import type { Overlay } from "../operation-command.ts";

/** `artifacts open`: prints where the files lie; on a desktop it also shows them. */
export const openOverlay: Overlay = {
  async run(call, { input, perform, finish }) {
    const output = (await perform(input)) as { readonly folder: string; readonly viewer: readonly string[] | null };
    const opener = call.globals.json || !call.terminal.isPerson ? undefined : desktopOpener();
    const [program, ...args] = opener === undefined ? [] : (output.viewer ?? [opener, output.folder]);
    if (program !== undefined) {
      const child = spawn(program, args, { detached: true, stdio: "ignore", env: helperEnvironment() });
      // A desktop without the program: the paths are printed anyway.
      child.on("error", () => undefined);
      child.unref();
    }
    return finish(output);
  },
};

function desktopOpener(): string | undefined {
  if (process.platform === "darwin") return "open";
  if (process.platform === "win32") return "explorer.exe";
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  return DISPLAY === undefined && WAYLAND_DISPLAY === undefined ? undefined : "xdg-open";
}
