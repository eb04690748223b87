import { createInterface } from "node:readline";
import type { Overlay } from "../operation-command.ts";
import { reportError } from "../report-error.ts";

/** `db shell` without a statement answers those that it reads, one a line; a person is asked for them. */
export const dbShellOverlay: Overlay = {
  optional: ["sql"],
  async run(call, { input, perform, finish }) {
    if (input["sql"] !== undefined) return finish(await perform(input));
    const { stdin } = process;
    const asks = stdin.isTTY === true && call.terminal.isPerson;
    const lines = createInterface({ input: stdin, ...(asks ? { output: process.stdout, prompt: "sql> " } : {}) });
    let status = 0;
    if (asks) lines.prompt();
    for await (const line of lines) {
      if (line.trim() !== "") {
        try {
          status = finish(await perform({ ...input, sql: [line] }));
        } catch (error) {
          // A person corrects the line and goes on; a script must not go on as if it had been answered.
          if (!asks) throw error;
          reportError(error, { ...call, json: false, op: call.command });
        }
      }
      if (asks) lines.prompt();
    }
    return status;
  },
};
