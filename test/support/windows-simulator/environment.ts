import type { MachineSettings } from "./state-shapes.ts";

/** A Windows environment block: names are found whatever their case, and keep the case in which they were set first. */
export class Environment {
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  constructor(values: Readonly<Record<string, string | undefined>> = {}) {
    for (const [name, value] of Object.entries(values)) if (value !== undefined) this.set(name, value);
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toUpperCase())?.value;
  }

  set(name: string, value: string): void {
    const key = name.toUpperCase();
    this.#values.set(key, { name: this.#values.get(key)?.name ?? name, value });
  }

  delete(name: string): void {
    this.#values.delete(name.toUpperCase());
  }

  /** Sorted by name, as `set` lists them. */
  entries(): readonly (readonly [string, string])[] {
    const sorted = [...this.#values].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([, { name, value }]) => [name, value] as const);
  }

  copy(): Environment {
    return new Environment(this.toRecord());
  }

  toRecord(): Record<string, string> {
    return Object.fromEntries(this.entries());
  }
}

const SYSTEM_PATH = [
  "C:\\Windows\\system32",
  "C:\\Windows",
  "C:\\Windows\\System32\\Wbem",
  "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\",
  "C:\\Windows\\System32\\OpenSSH\\",
  "C:\\Program Files\\PowerShell\\7\\",
  "C:\\Program Files\\nodejs\\",
  "C:\\Tools",
].join(";");

/** The variables of a new process of this account; `SYSTEM` has the profile of the system. */
export function initialEnvironment(settings: MachineSettings, user: string): Environment {
  const isSystem = user.toUpperCase() === "SYSTEM";
  const profile = profileFolder(user);
  return new Environment({
    ALLUSERSPROFILE: "C:\\ProgramData",
    APPDATA: `${profile}\\AppData\\Roaming`,
    COMPUTERNAME: settings.hostName,
    ComSpec: "C:\\Windows\\system32\\cmd.exe",
    LOCALAPPDATA: `${profile}\\AppData\\Local`,
    NUMBER_OF_PROCESSORS: "2",
    OS: "Windows_NT",
    Path: SYSTEM_PATH,
    PATHEXT: ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
    PROCESSOR_ARCHITECTURE: "AMD64",
    ProgramData: "C:\\ProgramData",
    ProgramFiles: "C:\\Program Files",
    "ProgramFiles(x86)": "C:\\Program Files (x86)",
    PUBLIC: "C:\\Users\\Public",
    SystemDrive: "C:",
    SystemRoot: "C:\\Windows",
    TEMP: isSystem ? "C:\\Windows\\TEMP" : `${profile}\\AppData\\Local\\Temp`,
    TMP: isSystem ? "C:\\Windows\\TEMP" : `${profile}\\AppData\\Local\\Temp`,
    USERDOMAIN: settings.hostName,
    USERNAME: isSystem ? `${settings.hostName}$` : user,
    USERPROFILE: profile,
    windir: "C:\\Windows",
    ...settings.environment,
  });
}

export function profileFolder(user: string): string {
  return user.toUpperCase() === "SYSTEM" ? "C:\\Windows\\system32\\config\\systemprofile" : `C:\\Users\\${user}`;
}
