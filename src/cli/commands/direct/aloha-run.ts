import { AppError } from "../../../error.ts";
import type { Command } from "../../command.ts";
import { directCommand } from "./direct-command.ts";
import { checkIdempotent, IDEMPOTENT_FLAG } from "./idempotent-flag.ts";

/** `aloha run`: one task for the agent on a desktop. */
export const alohaRun: Command = directCommand({
  name: "aloha run",
  type: "aloha.run",
  summary: "Give the agent on a Windows desktop a task, and follow it to its end.",
  description:
    "One run at a time on each desktop: the others wait. It has completed only when the agent's own log says so. The job is stored like any other, so limits, policy, history and artifacts apply.",
  flags: [IDEMPOTENT_FLAG],
  input(call, said) {
    checkIdempotent(call, said);
    if (said["task"] === undefined)
      throw new AppError("USAGE", `${call.command} needs --task, what the agent shall do`);
    return said;
  },
});
