import { readFileSync } from "node:fs";
import { sidOf } from "../accounts.ts";
import { listeningPorts } from "../listening.ts";
import { NOT_MODELLED_EVENT, NotModelled } from "../not-modelled.ts";
import { processTable } from "../processes.ts";
import { endTask, presentTask, startTask } from "../scheduled-tasks.ts";
import { Machine } from "../state.ts";
import type { FirewallRule, ScheduledTask } from "../state-shapes.ts";
import { programBehind } from "./shims.ts";

// What only Windows has, for the real PowerShell: cmdlet.ts NAME PARAMETERS-AS-JSON prints {"rows":[…]}. One process each.
type Parameters = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>>;

const machine = Machine.ofThisProcess();
const [name = "", json = "{}"] = process.argv.slice(2);

const CMDLETS: Readonly<Record<string, (parameters: Parameters) => readonly Row[]>> = {
  "Get-NetTCPConnection": ({ port }) =>
    listeningPorts(machine)
      .filter((listener) => listener.port === port)
      .map(({ address, pid }) => ({ LocalAddress: address, OwningProcess: pid })),
  "Get-NetFirewallRule": ({ name: wanted, displayName }) =>
    machine.firewallRules
      .filter((rule) => (wanted ? same(rule.name, wanted) : same(rule.displayName, displayName)))
      .map(firewallRow),
  "New-NetFirewallRule": (parameters) => [firewallRow(machine.putFirewallRule(ruleOf(parameters)))],
  "Set-NetFirewallRule": (parameters) => {
    const before = machine.firewallRules.find((rule) => same(rule.name, parameters["Name"]));
    return [firewallRow(machine.putFirewallRule({ ...before, ...ruleOf(parameters) }))];
  },
  "Get-ScheduledTask": ({ name: wanted }) => {
    const task = presentTask(machine, String(wanted));
    return task === undefined ? [] : [taskRow(task)];
  },
  "Start-ScheduledTask": ({ name: wanted }) => {
    startTask(machine, String(wanted));
    return [];
  },
  "Stop-ScheduledTask": ({ name: wanted }) => {
    endTask(machine, String(wanted));
    return [];
  },
  "Unregister-ScheduledTask": ({ name: wanted }) => {
    machine.removeTask(String(wanted));
    return [];
  },
  "Register-ScheduledTask": (parameters) => [taskRow(machine.putTask(taskOf(parameters)))],
  "Get-CimInstance": ({ className, filter }) => {
    if (className === "Win32_OperatingSystem") {
      const version = machine.settings.osVersion.split(".").slice(0, 3).join(".");
      return [{ Caption: "Microsoft Windows 10 Pro", Version: version }];
    }
    if (className === "Win32_Process") return processRows(String(filter ?? ""));
    throw new NotModelled(`Get-CimInstance ${String(className)}`);
  },
  "Get-MachineSid": ({ account }) => {
    const sid = sidOf(String(account));
    if (sid === undefined) throw new Error("Some or all identity references could not be translated.");
    return [{ sid }];
  },
  "Get-Acl": ({ path }) => [{ ...machine.access(String(path)) }],
  "Set-Acl": ({ path, ...access }) => [{ ...machine.putAccess(String(path), access) }],
  qwinsta: () => [
    { line: " SESSIONNAME       USERNAME                 ID  STATE   TYPE        DEVICE" },
    ...machine.sessions.map(({ id, user, name: session, state }) => ({
      line: ` ${(state === "Active" ? session : "").padEnd(18)}${user.padEnd(21)}${String(id).padStart(6)}  ${state}`,
    })),
  ],
};

try {
  process.stdout.write(JSON.stringify({ rows: rowsOf(JSON.parse(json) as Parameters) }));
} catch (error) {
  const { message } = error as Error;
  if (error instanceof NotModelled) machine.record(NOT_MODELLED_EVENT, "powershell.exe", { message });
  process.stdout.write(message);
  process.exitCode = 1;
}

function rowsOf(parameters: Parameters): readonly Row[] {
  const cmdlet = CMDLETS[name];
  if (cmdlet === undefined) throw new NotModelled(name);
  return cmdlet(parameters);
}

function same(text: string, wanted: unknown): boolean {
  return text.toLowerCase() === String(wanted).toLowerCase();
}

function firewallRow(rule: FirewallRule): Row {
  return {
    ...{ Name: rule.name, DisplayName: rule.displayName, Enabled: rule.enabled ? "True" : "False" },
    ...{ Direction: rule.direction, Action: rule.action, Profile: rule.profile },
    ...{ protocol: rule.protocol, localPort: String(rule.localPort), remoteAddress: rule.remoteAddress },
  };
}

function ruleOf(parameters: Parameters): Partial<FirewallRule> & Pick<FirewallRule, "name" | "localPort"> {
  const text = (key: string): string => String(parameters[key]);
  return {
    name: text("Name"),
    localPort: Number(parameters["LocalPort"]),
    ...(parameters["DisplayName"] === undefined ? {} : { displayName: text("DisplayName") }),
    direction: text("Direction") as FirewallRule["direction"],
    action: text("Action") as FirewallRule["action"],
    enabled: text("Enabled") === "True",
    protocol: text("Protocol") as FirewallRule["protocol"],
    remoteAddress: text("RemoteAddress"),
  };
}

function taskRow(task: ScheduledTask): Row {
  return {
    TaskName: task.name,
    State: task.state,
    LastTaskResult: task.lastResult,
    LastRunTime: task.lastRunAtMs === null ? null : new Date(task.lastRunAtMs).toISOString(),
    Principal: { UserId: task.user, LogonType: task.logonType },
    Actions: [{ Execute: task.execute, Arguments: task.arguments }],
    Settings: { ExecutionTimeLimit: task.executionTimeLimit },
  };
}

function taskOf(parameters: Parameters): Partial<ScheduledTask> & Pick<ScheduledTask, "name" | "execute"> {
  const given = (key: string): Row => (parameters[key] ? { [key]: parameters[key] } : {});
  return {
    name: String(parameters["name"]),
    execute: programBehind(String(parameters["execute"]), machine.folder),
    arguments: String(parameters["arguments"]),
    ...["workingDirectory", "user", "logonType", "runLevel", "executionTimeLimit", "restartCount"].reduce(
      (all, key) => Object.assign(all, given(key)),
      {},
    ),
    ...given("restartInterval"),
    ...given("multipleInstances"),
    disallowStartIfOnBatteries: parameters["allowBatteries"] !== true,
    triggers: [
      ...(parameters["atStartup"] === true ? [{ kind: "AtStartup" } as const] : []),
      ...(parameters["atLogOn"] === true ? [{ kind: "AtLogOn" } as const] : []),
    ],
  };
}

/** The filters that are written are `Name='x' OR Name='y'` and `ProcessId=1`. */
function processRows(filter: string): readonly Row[] {
  const names = [...filter.matchAll(/Name='([^']*)'/g)].map((match) => match[1]?.toLowerCase());
  const id = /ProcessId=(\d+)/.exec(filter)?.[1];
  const rows = processTable(machine).filter(
    ({ image, pid }) =>
      (names.length === 0 || names.includes(image.toLowerCase())) && (id === undefined || pid === Number(id)),
  );
  const listener = machine.listeners.find(({ pid }) => pid === Number(id));
  return [
    ...rows.map(({ pid, parentPid, image, session, isReal }) => ({
      ...{ ProcessId: pid, Name: image, SessionId: session, ExecutablePath: "" },
      ...{ Owner: machine.sessions.find((one) => one.id === session)?.user ?? "SYSTEM" },
      ...(isReal ? birthOf(pid, parentPid) : { ParentProcessId: 0 }),
    })),
    ...(rows.length === 0 && listener !== undefined ? [{ ProcessId: listener.pid, Name: listener.image }] : []),
  ];
}

/** Windows keeps the number of a parent that is gone; here that is the leader of the session that a runner is. */
function birthOf(pid: number, parentPid: number): Row {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const bootMs = Date.now() - Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
    const bornMs = Math.round(bootMs + Number(fields[19]) * 10);
    const leader = Number(fields[3]);
    const parent = parentPid <= 1 && leader !== pid ? leader : parentPid;
    const ticks = 621_355_968_000_000_000n + BigInt(bornMs) * 10_000n;
    return { ParentProcessId: parent, CreationTicks: String(ticks) };
  } catch {
    return { ParentProcessId: parentPid };
  }
}
