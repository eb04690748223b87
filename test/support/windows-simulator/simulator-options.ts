import type { MachineSettings } from "./state-shapes.ts";

/** What a test wants of its machine. */
export interface SimulatorOptions extends Partial<MachineSettings> {
  /** How many sessions one SSH connection may carry; sshd's default is 10. */
  readonly maxSessions?: number;
  /** Somebody is logged on at the desktop. Default: true. */
  readonly hasDesktop?: boolean;
}

/** The `windows` block of a config file, ready to be used. */
export interface SimulatorConfig {
  readonly ssh_host: string;
  readonly ssh_port: number;
  readonly ssh_user: string;
  readonly ssh_identity_file: string;
  readonly ssh_known_hosts: string;
}
