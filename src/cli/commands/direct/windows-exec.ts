import { AppError } from "../../../error.ts";
import type { Call, Command } from "../../command.ts";
import { RAW } from "../../here/presentation.ts";
import { directCommand } from "./direct-command.ts";
import { checkIdempotent, IDEMPOTENT_FLAG } from "./idempotent-flag.ts";

/** `windows exec`: one command on one machine or several, and what it printed. */
export const windowsExec: Command = directCommand({
  name: "windows exec",
  type: "windows.exec",
  summary: "Run a command on Windows machines.",
  description:
    "One word behind -- (and --cmd alone) is a line for the machine's default shell, as ssh would give it; several are a program and its arguments, each as it is. The job is stored like any other, so limits, policy, history and artifacts apply.",
  rest: "the command",
  flags: [
    {
      name: "raw",
      kind: "boolean",
      description: "Prints the bytes of the command's standard output alone, and no logs.",
    },
    IDEMPOTENT_FLAG,
  ],
  input(call, said) {
    checkIdempotent(call, said);
    if (said["command"] === undefined)
      throw new AppError("USAGE", `${call.command} needs a command: \`windlass windows exec -- ipconfig /all\``);
    return said;
  },
  present: (call) => (call.values.get("raw") === true ? { call: silent(call), presentation: RAW } : undefined),
});

/** What failed before the command could speak for itself is still told. */
function silent(call: Call): Call {
  const error: Call["log"]["error"] = (op, message, fields) => {
    const isOwn = String(fields?.["err"] ?? "").startsWith("EXIT_NONZERO:");
    if (!isOwn) call.log.error(op, message, fields);
  };
  return { ...call, log: { info: () => undefined, warn: () => undefined, error } };
}
