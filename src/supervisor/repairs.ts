import { z } from "zod";
import type { Repair, RepairEnd } from "./component.ts";
import type { HostSession } from "./host-session.ts";

/** What a repair needs of the machine. */
export type RepairSession = Pick<HostSession, "call" | "runLine">;

const FirewallRule = z.object({ is_right: z.boolean(), changed: z.boolean() });
const StartedTask = z.object({ exists: z.boolean(), was_running: z.boolean(), state: z.string() });

/**
 * Makes the rule that lets this program in where it is missing. Only for the machine's own subnet, which is where the
 * gateway of a port forward stands: neither Aloha nor a browser server asks who comes.
 */
export function firewallRule(
  session: RepairSession,
  { name, port }: { readonly name: string; readonly port: number },
): Repair {
  return {
    name: "firewall_rule",
    async run(options) {
      const arg = { name, port, create: true, remote_address: "LocalSubnet" };
      const { is_right, changed } = FirewallRule.parse(await session.call("firewall-rule", arg, options));
      if (!is_right) return { state: "failed", detail: `the rule ${name} could not be made` };
      return changed
        ? { state: "done", detail: `the rule ${name} was made` }
        : { state: "skipped", detail: `the rule ${name} is there` };
    },
  };
}

/** Runs a start command; `setting` is the one that holds it. */
export function startCommand(
  session: RepairSession,
  { line, setting }: { readonly line: string; readonly setting: string },
): Repair {
  return {
    name: "start_cmd",
    async run(options) {
      if (line === "") return { state: "skipped", detail: `${setting} is not set` };
      const end = await session.runLine(line, options);
      switch (end.kind) {
        case "exited":
          return end.code === 0
            ? { state: "done", detail: `${setting} ended with 0` }
            : { state: "failed", detail: `${setting} ended with ${end.code}` };
        case "timeout":
          return {
            state: "failed",
            detail: `${setting} did not return in time and was ended; it has to start and return`,
          };
        case "cancelled":
          return { state: "failed", detail: `${setting} was ended` };
        case "failed":
        case "unknown":
          return { state: "failed", detail: `${setting}: ${end.reason}` };
      }
    },
  };
}

/** Starts a scheduled task; `hint` says how there comes to be one. */
export function startTask(
  session: RepairSession,
  { name, hint }: { readonly name: string; readonly hint: string },
): Repair {
  return {
    name: "start_task",
    async run(options): Promise<RepairEnd> {
      const found = StartedTask.parse(await session.call("start-task", { name }, options));
      if (!found.exists) return { state: "skipped", detail: `there is no scheduled task ${name}; ${hint}` };
      // The scheduler starts no second one: what hangs has to be ended by a person.
      if (found.was_running) return { state: "skipped", detail: `the scheduled task ${name} runs already` };
      if (found.state === "Running") return { state: "done", detail: `the scheduled task ${name} was started` };
      return { state: "failed", detail: `the scheduled task ${name} did not start (${found.state})` };
    },
  };
}
