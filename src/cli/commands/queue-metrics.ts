import { type Overlay, printOutput } from "../operation-command.ts";

/** `queue-metrics --format json` says what `--json` says. */
export const queueMetricsOverlay: Overlay = {
  async run(call, { operation, input, perform }) {
    const json = call.globals.json || input["format"] === "json";
    return printOutput(operation, await perform(input), { ...call, globals: { ...call.globals, json } });
  },
};
