import type { HostSession } from "../host/host-session.ts";
import { type Listener, RULE_SCOPE } from "../host/model/on-machine.ts";
import type { RunnerEnd } from "../host/powershell/runner-end.ts";
import { FIREWALL_RULE, LISTENING_PORT, START_TASK } from "../host/powershell/scripts.ts";
import type { Repair, RepairEnd } from "./component.ts";

/** What a repair needs of the machine. */
export type RepairSession = Pick<HostSession, "ask" | "runLine">;

/** Makes the rule that lets this program in where it is missing. */
export function firewallRule(session: RepairSession, { rule: name, port }: Listener): Repair {
  return {
    name: "firewall_rule",
    async run(options) {
      const arg = { name, port, create: true, remote_address: RULE_SCOPE };
      const { is_right, changed } = await session.ask(FIREWALL_RULE, arg, options);
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
  { line, setting, port }: { readonly line: string; readonly setting: string; readonly port: number },
): Repair {
  return {
    name: "start_cmd",
    async run(options) {
      if (line === "") return { state: "skipped", detail: `${setting} is not set` };
      const taken = await takenBy(session, port, options);
      return taken ?? judgeStart(await session.runLine(line, options), setting);
    },
  };
}

function judgeStart(end: RunnerEnd, setting: string): RepairEnd {
  switch (end.kind) {
    case "exited":
      if (end.code === 0) return { state: "done", detail: `${setting} ended with 0` };
      return { state: "failed", detail: `${setting} ended with ${end.code}` };
    case "timeout":
      return { state: "failed", detail: `${setting} did not return in time and was ended; it has to start and return` };
    case "cancelled":
      return { state: "failed", detail: `${setting} was ended` };
    case "failed":
    case "unknown":
      return { state: "failed", detail: `${setting}: ${end.reason}` };
  }
}

/** What listens and does not answer cannot be started a second time; it may also be the way to it that is broken. */
async function takenBy(
  session: RepairSession,
  port: number,
  options: { readonly signal: AbortSignal },
): Promise<RepairEnd | undefined> {
  const { is_listening, listeners } = await session.ask(LISTENING_PORT, { port }, options);
  if (!is_listening) return undefined;
  const who = [...new Set(listeners.map(({ name, pid }) => `${name} (process ${pid})`))].join(", ");
  const detail = `${who} listens on port ${port} of the machine: look at the way to it, or end what listens`;
  return { state: "skipped", detail };
}

/** Starts a scheduled task; `hint` says how there comes to be one. */
export function startTask(
  session: RepairSession,
  { name, hint, port }: { readonly name: string; readonly hint: string; readonly port: number },
): Repair {
  return {
    name: "start_task",
    async run(options): Promise<RepairEnd> {
      const taken = await takenBy(session, port, options);
      if (taken !== undefined) return taken;
      const found = await session.ask(START_TASK, { name }, options);
      if (!found.exists) return { state: "skipped", detail: `there is no scheduled task ${name}; ${hint}` };
      // The scheduler starts no second one: what hangs has to be ended by a person.
      if (found.was_running) return { state: "skipped", detail: `the scheduled task ${name} runs already` };
      if (found.state === "Running") return { state: "done", detail: `the scheduled task ${name} was started` };
      return { state: "failed", detail: `the scheduled task ${name} did not start (${found.state})` };
    },
  };
}
