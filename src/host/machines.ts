import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import { findHost, type NamedHost } from "./inventory.ts";
import { RunnerPool } from "./powershell/runner-pool.ts";
import { SshConnection } from "./ssh/connection.ts";

/** What reaching the machines needs. */
export interface MachinesOptions {
  readonly config: Config;
  readonly clock: Clock;
}

/** The Windows machines as this process reaches them. Nothing is opened before it is needed; what was opened stays warm. */
export class Machines implements AsyncDisposable {
  readonly runners: RunnerPool<NamedHost>;
  readonly #options: MachinesOptions;
  readonly #connections = new Map<string, SshConnection>();

  constructor(options: MachinesOptions) {
    this.#options = options;
    this.runners = new RunnerPool<NamedHost>((host) => this.connection(host), { clock: options.clock });
  }

  /** @throws AppError `UNKNOWN_HOST` with the nearest names. */
  find(name?: string): NamedHost {
    return findHost(this.#options.config, name);
  }

  /** The one connection of this process to a machine. */
  connection(host: NamedHost): SshConnection {
    const known = this.#connections.get(host.name);
    if (known !== undefined) return known;
    const { clock, config } = this.#options;
    const connection = new SshConnection(host, { clock, timeoutMs: config.timeoutMs });
    this.#connections.set(host.name, connection);
    return connection;
  }

  /** Ends runners, then connections; what runs on a machine ends with them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.runners[Symbol.asyncDispose]();
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }
}
