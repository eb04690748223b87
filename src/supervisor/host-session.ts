import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { NamedHost } from "../host/inventory.ts";
import { Machines } from "../host/machines.ts";
import type { HostAccess } from "../host/playwright/host-access.ts";
import { machineAccess } from "../host/playwright/machine-access.ts";
import type { ScriptArgument } from "../host/powershell/request.ts";
import type { RunnerEnd } from "../host/powershell/runner-end.ts";
import { askHost, type HostQuestion } from "../host/powershell/scripts.ts";

/** One pass's way into a machine: one connection and one PowerShell for all its questions, started by the first of them. */
export class HostSession implements AsyncDisposable {
  readonly #machines: Machines;
  readonly #host: NamedHost;
  readonly #timeoutMs: number;

  constructor(host: NamedHost, parts: { readonly config: Config; readonly clock: Clock }) {
    this.#machines = new Machines(parts);
    this.#host = host;
    this.#timeoutMs = parts.config.timeoutMs;
  }

  /**
   * Has a PowerShell started and greeted, which takes an answer of the machine: that a shared login is open proves nothing,
   * because the other side may have forgotten it.
   *
   * @returns PowerShell's version.
   * @throws AppError as `SshConnection.connect` and `PowerShellRunner.start`.
   */
  knock(options: { readonly signal: AbortSignal }): Promise<string> {
    return this.#machines.runners.use(this.#host, options, async (runner) => runner.version);
  }

  /** Asks one of our own questions. @throws AppError as {@link knock} and `askHost`. */
  ask<A extends ScriptArgument, R>(
    question: HostQuestion<A, R>,
    arg: A,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<R> {
    const limits = { timeoutMs: this.#timeoutMs, signal };
    return this.#machines.runners.use(this.#host, limits, (runner) => askHost(runner, question, arg, limits));
  }

  /** Runs a line with the machine's default shell. */
  runLine(line: string, { signal }: { readonly signal: AbortSignal }): Promise<RunnerEnd> {
    const limits = { timeoutMs: this.#timeoutMs, signal };
    return this.#machines.runners.use(this.#host, limits, (runner) => runner.run({ line }, limits));
  }

  /** As the browser server's client needs it; it ends with the session, not with its user. */
  access(): HostAccess {
    return machineAccess(this.#machines, this.#host);
  }

  /** What cannot be closed is not held against the pass: the next one has a session of its own. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machines[Symbol.asyncDispose]().catch(() => undefined);
  }
}
