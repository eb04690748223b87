import { NotModelled } from "../not-modelled.ts";
import type { Program } from "../program.ts";
import type { ScheduledTask, TaskTrigger } from "../state-shapes.ts";
import { readSwitches } from "./switches.ts";

const VALUES = ["/TN", "/TR", "/SC", "/RU", "/RP", "/RL", "/ST", "/MO", "/DELAY"];
const FLAGS = ["/F", "/IT", "/NP"];

/** `schtasks /Create`: "the maximum length of the /TR value is 262 characters"; the program itself says 261. */
const ACTION_LENGTH_MAX = 261;

const TRIGGERS: Readonly<Record<string, TaskTrigger["kind"]>> = {
  ONSTART: "AtStartup",
  ONLOGON: "AtLogOn",
  ONCE: "Once",
  DAILY: "Daily",
  MINUTE: "Minute",
  HOURLY: "Hourly",
};

/** `schtasks /Create /TN name /TR action /SC when …`. */
export function createTask(args: readonly string[], program: Program): number {
  const { flags, values } = readSwitches("schtasks /Create", args, { flags: FLAGS, values: VALUES });
  const value = (name: string): string | undefined => values.get(name)?.[0];
  const [name, action, schedule] = [value("/TN")?.replace(/^\\/, ""), value("/TR"), value("/SC")];
  if (name === undefined || action === undefined || schedule === undefined) {
    program.error('ERROR: Invalid syntax. Mandatory option is missing.\r\nType "SCHTASKS /CREATE /?" for usage.\r\n');
    return 1;
  }
  if (action.length > ACTION_LENGTH_MAX) {
    program.error(`ERROR: Value for '/TR' option cannot be more than ${ACTION_LENGTH_MAX} character(s).\r\n`);
    return 1;
  }
  const kind = TRIGGERS[schedule.toUpperCase()];
  if (kind === undefined) throw new NotModelled(`schtasks /SC ${schedule}`);
  if (program.machine.task(name) !== undefined && !flags.has("/F")) {
    // It asks, and finds no answer at the end of its input.
    program.write(`WARNING: The task name "${name}" already exists. Do you want to replace it (Y/N)? `);
    return 1;
  }
  const user = value("/RU") ?? program.context.user;
  const logonType = logonOf(user, {
    isInteractive: flags.has("/IT"),
    hasPassword: values.has("/RP"),
    isS4U: flags.has("/NP"),
  });
  const runLevel = value("/RL")?.toUpperCase() === "HIGHEST" ? "Highest" : "Limited";
  program.machine.putTask({ name, ...splitAction(action), user, logonType, runLevel, triggers: [{ kind }] });
  program.line(`SUCCESS: The scheduled task "${name}" has successfully been created.`);
  return 0;
}

/** The program ends at the first blank that is not quoted: an unquoted `C:\Program Files\…` runs `C:\Program`. */
function splitAction(action: string): Pick<ScheduledTask, "execute" | "arguments"> {
  const execute = /^(?:"[^"]*"?|[^\s"])+/.exec(action)?.[0] ?? "";
  return { execute, arguments: action.slice(execute.length).trim() };
}

function logonOf(
  user: string,
  {
    isInteractive,
    hasPassword,
    isS4U,
  }: { readonly isInteractive: boolean; readonly hasPassword: boolean; readonly isS4U: boolean },
): ScheduledTask["logonType"] {
  if (/^(NT AUTHORITY\\)?(SYSTEM|LOCAL ?SERVICE|NETWORK ?SERVICE)$/i.test(user)) return "ServiceAccount";
  if (isS4U) return "S4U";
  if (hasPassword) return isInteractive ? "InteractiveOrPassword" : "Password";
  return "Interactive";
}
