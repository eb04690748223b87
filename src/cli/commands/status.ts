import type { Overlay } from "../operation-command.ts";
import { WATCH_FLAGS, wantsWatch } from "./watch-flags.ts";

/** `jobs status`: one read, or with --watch to the end. */
export const statusOverlay: Overlay = {
  flags: WATCH_FLAGS,
  async run(call, { input, perform, finish }) {
    const watch = wantsWatch(call);
    const output = await perform(input);
    if (watch === undefined) return finish(output);
    const { watchToEnd } = await import("./watch-to-end.ts");
    const windlass = await call.session.open("read", false);
    return watchToEnd(windlass, String(input["id"]), { ...watch, call });
  },
};
