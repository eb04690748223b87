/** The machine that findings are about, as far as they name it. */
export interface Subject {
  readonly name: string;
  readonly sshHost: string;
  readonly sshPort: number;
  readonly sshUser: string;
  readonly sshIdentityFile: string;
  readonly sshKnownHosts: string;
}

/** The name of a setting of a machine, as a config file writes it. @param key such as `windows.ssh_port`. */
export function settingOf({ name }: Pick<Subject, "name">, key: string): string {
  return name === "default" ? key : `hosts.${name}.${key.replace(/^windows\./, "")}`;
}
