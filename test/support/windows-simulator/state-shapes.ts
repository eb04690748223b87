/** A rule of Windows Defender Firewall; the words are those of `Get-NetFirewallRule` and its filters. */
export interface FirewallRule {
  readonly name: string;
  readonly displayName: string;
  readonly direction: "Inbound" | "Outbound";
  readonly action: "Allow" | "Block";
  readonly enabled: boolean;
  readonly protocol: "TCP" | "UDP" | "Any";
  /** `Any` where the rule names no port. */
  readonly localPort: number | "Any";
  /** `Any`, an address, or several with commas. */
  readonly remoteAddress: string;
  readonly profile: string;
}

/** `SCHED_S_TASK_RUNNING` and its like, https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-error-and-success-constants. */
export const TASK_RESULT = {
  running: 267_009,
  neverRan: 267_011,
  stoppedByUser: 267_014,
  /** HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND). */
  fileNotFound: 2_147_942_402,
  /** ERROR_NOT_LOGGED_ON (0x800704DD): what is shown for a task that runs only when its user is logged on, and is not. */
  notLoggedOn: 2_147_943_645,
} as const;

export interface ScheduledTask {
  readonly name: string;
  /** The program of the action, as registered (may be quoted, may hold `%NAME%`). */
  readonly execute: string;
  /** The rest of the action's command line, raw. */
  readonly arguments: string;
  readonly workingDirectory: string | null;
  /** The principal: `SYSTEM` or an account. */
  readonly user: string;
  /** `Interactive` runs in the user's session and needs one; everything else in session 0. */
  readonly logonType: "Interactive" | "S4U" | "Password" | "ServiceAccount" | "InteractiveOrPassword";
  readonly runLevel: "Limited" | "Highest";
  readonly triggers: readonly TaskTrigger[];
  /** ISO 8601, `PT0S` is none. The default is that of the scheduler. */
  readonly executionTimeLimit: string;
  readonly restartCount: number;
  /** ISO 8601, at least `PT1M`. The simulator waits `settings.restartIntervalShortenedToMs` instead. */
  readonly restartInterval: string | null;
  readonly multipleInstances: "IgnoreNew" | "Parallel" | "Queue" | "StopExisting";
  readonly disallowStartIfOnBatteries: boolean;
  readonly state: "Ready" | "Running" | "Disabled";
  /** {@link TASK_RESULT} or the program's own 32-bit code. */
  readonly lastResult: number;
  readonly lastRunAtMs: number | null;
  /** Pid of the running action; `null` while nothing runs. */
  readonly pid: number | null;
}

export interface TaskTrigger {
  readonly kind: "AtStartup" | "AtLogOn" | "Once" | "Daily" | "Minute" | "Hourly";
  readonly user?: string;
}

/** A Windows session; session 0 is that of the services and always there. */
export interface Session {
  readonly id: number;
  readonly user: string;
  /** As `query session` prints it. */
  readonly name: string;
  readonly state: "Active" | "Disc";
  readonly locked: boolean;
  readonly interactive: boolean;
}

export interface Listener {
  readonly port: number;
  readonly address: string;
  readonly pid: number;
  readonly image: string;
}

/** Who owns a folder and may do what in it, as far as somebody has set it; enforced nowhere. */
export interface FolderAccess {
  /** A SID. */
  readonly owner: string;
  /** Takes nothing over from the folder above. */
  readonly isProtected: boolean;
  /** `Allow Modify to SID (inheritance, propagation)`, in the words of .NET. */
  readonly rules: readonly string[];
}

export interface Service {
  readonly name: string;
  readonly displayName: string;
  readonly state: "RUNNING" | "STOPPED";
}

/** What a program shows instead of doing its work. */
export interface Failure {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly times: number;
}

export interface MachineSettings {
  readonly hostName: string;
  /** The account of who comes over SSH, and of the desktop. */
  readonly user: string;
  /** `HKLM\SOFTWARE\OpenSSH\DefaultShell`. */
  readonly defaultShell: string;
  /** What `powershell.exe` says that it is: begins with `5.1` or `7`. */
  readonly powershellVersion: string;
  readonly osVersion: string;
  /** Code page of a new console (OEM). */
  readonly codePage: number;
  /** Added to the real time wherever the machine tells its own. */
  readonly clockAheadMs: number;
  /** The machine's environment beside the usual variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Knob of the simulator: stands for every restart interval of a task (Windows: at least a minute). */
  readonly restartIntervalShortenedToMs: number;
  /**
   * Whether an exit code other than 0 counts as a failure after which a task is started again. The schema's page says
   * "fails for any reason"; [MS-TSCH] 2.5.4.2 names only actions and conditions that do not start. Not verified on Windows.
   */
  readonly restartsTaskAfterExitCode: boolean;
}

export interface MachineEvent {
  readonly id: number;
  readonly atMs: number;
  /** `noun.verb-past`: `task.started`, `firewall.put`, `program.started`, … */
  readonly kind: string;
  readonly subject: string;
  readonly detail: unknown;
}

/** What a machine has. */
export interface MachineKinds {
  readonly firewall: FirewallRule;
  readonly task: ScheduledTask;
  readonly session: Session;
  readonly listener: Listener;
  readonly service: Service;
  readonly access: FolderAccess;
  readonly failure: Failure;
  readonly setting: unknown;
}

export const DEFAULTS = {
  firewall: {
    direction: "Inbound",
    action: "Allow",
    enabled: true,
    protocol: "TCP",
    remoteAddress: "Any",
    profile: "Any",
  },
  task: {
    arguments: "",
    workingDirectory: null,
    user: "SYSTEM",
    logonType: "ServiceAccount",
    runLevel: "Limited",
    triggers: [],
    executionTimeLimit: "PT72H",
    restartCount: 0,
    restartInterval: null,
    multipleInstances: "IgnoreNew",
    disallowStartIfOnBatteries: true,
    state: "Ready",
    lastResult: TASK_RESULT.neverRan,
    lastRunAtMs: null,
    pid: null,
  },
  session: { state: "Active", locked: false, interactive: true },
  listener: { address: "127.0.0.1", pid: 4_000, image: "python.exe" },
  service: { state: "RUNNING" },
  // Administrators, as for all that an administrator makes.
  access: { owner: "S-1-5-32-544", isProtected: false, rules: [] },
  failure: { stdout: "", stderr: "", times: 1 },
  settings: {
    hostName: "WINSIM",
    user: "operator",
    defaultShell: "C:\\Windows\\System32\\cmd.exe",
    powershellVersion: "5.1.19041.5486",
    osVersion: "10.0.19045.5487",
    codePage: 437,
    clockAheadMs: 0,
    environment: {},
    restartIntervalShortenedToMs: 50,
    restartsTaskAfterExitCode: true,
  },
} as const satisfies {
  readonly firewall: Partial<FirewallRule>;
  readonly task: Partial<ScheduledTask>;
  readonly session: Partial<Session>;
  readonly listener: Partial<Listener>;
  readonly service: Partial<Service>;
  readonly access: FolderAccess;
  readonly failure: Partial<Failure>;
  readonly settings: MachineSettings;
};
