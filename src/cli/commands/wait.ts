import { LiveLine } from "../live-line.ts";
import type { Overlay } from "../operation-command.ts";

/** `jobs wait`: a person sees that something is waited for. */
export const waitOverlay: Overlay = {
  async run(call, { input, perform, finish }) {
    if (!call.terminal.isPerson || call.globals.json) return finish(await perform(input));
    const ids = input["ids"] as readonly string[];
    const output = await (async () => {
      using _ = new LiveLine(call.terminal, () => `waiting for ${ids.length === 1 ? ids[0] : `${ids.length} jobs`}`);
      return await perform(input);
    })();
    return finish(output);
  },
};
