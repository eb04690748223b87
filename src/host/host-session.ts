import type { NamedHost } from "./inventory.ts";
import { Machines, type MachinesOptions } from "./machines.ts";
import type { HostAccess } from "./playwright/host-access.ts";
import { machineAccess } from "./playwright/machine-access.ts";
import type { ScriptArgument } from "./powershell/request.ts";
import type { PowerShellRunner } from "./powershell/runner.ts";
import type { RunnerEnd } from "./powershell/runner-end.ts";
import { askHost, type HostQuestion } from "./powershell/scripts.ts";
import type { SshConnection } from "./ssh/connection.ts";

/** What stops a call to a machine. */
interface Stop {
  readonly signal: AbortSignal;
}

/**
 * The way into one machine for as long as somebody looks at it: one connection and its PowerShells for all questions,
 * started by the first of them.
 */
export class HostSession implements AsyncDisposable {
  readonly host: NamedHost;
  /** For one answer of the machine. */
  readonly timeoutMs: number;
  readonly #machines: Machines;

  constructor(host: NamedHost, parts: MachinesOptions) {
    this.host = host;
    this.timeoutMs = parts.config.timeoutMs;
    this.#machines = new Machines(parts);
  }

  /** Lends a PowerShell that has greeted. @throws AppError as `SshConnection.connect` and `PowerShellRunner.start`. */
  lend<T>(work: (runner: PowerShellRunner) => Promise<T>, { signal }: Stop): Promise<T> {
    return this.#machines.runners.use(this.host, { signal }, work);
  }

  /** Asks one of our own questions. @throws AppError as {@link lend} and `askHost`. */
  ask<A extends ScriptArgument, R>(question: HostQuestion<A, R>, arg: A, { signal }: Stop): Promise<R> {
    const limits = { timeoutMs: this.timeoutMs, signal };
    return this.lend((runner) => askHost(runner, question, arg, limits), limits);
  }

  /** Runs a line with the machine's default shell. */
  runLine(line: string, { signal }: Stop): Promise<RunnerEnd> {
    const limits = { timeoutMs: this.timeoutMs, signal };
    return this.lend((runner) => runner.run({ line }, limits), limits);
  }

  get connection(): SshConnection {
    return this.#machines.connection(this.host);
  }

  /** As the browser server's client needs it; it ends with the session, not with its user. */
  access(): HostAccess {
    return machineAccess(this.#machines, this.host);
  }

  /** What cannot be closed is held against nobody: whoever looks next has a session of their own. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machines[Symbol.asyncDispose]().catch(() => undefined);
  }
}
