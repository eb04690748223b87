import { recordCall } from "../windows/recording/record-call.ts";
import { type CallOptions, CliFolder, type Finished, type RunningCli } from "./cli.ts";
import { startWindowsSimulator, type WindowsSimulator } from "./windows-simulator/simulator.ts";
import type { SimulatorOptions } from "./windows-simulator/simulator-options.ts";

/** True where the scenarios run against the real machine that WINDLASS_WINDOWS_SSH_HOST and its companions name. */
export const isIntegration = process.env["WINDLASS_INTEGRATION"] === "1";

/** True where the machine has the programs of the simulator's `C:\Tools`, which a real one lacks. */
export const hasTestTools = !isIntegration || process.env["WINDLASS_TEST_TOOLS"] === "1";

/** The settings of the real machine, as the program itself reads them. */
function machineVariables(): Record<string, string> {
  const named = Object.entries(process.env).filter(([name]) =>
    /^(WINDLASS|WIN_AUTOMATION)_(WINDOWS|PLAYWRIGHT|ALOHA)_/.test(name),
  );
  return Object.fromEntries(named.map(([name, value = ""]) => [name, value]));
}

/** How a bench is set up. */
export interface WindowsBenchOptions extends SimulatorOptions {
  /** Blocks of the config file beside `windows`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A Windows machine, a project folder, and the program that knows the one in the other. */
export class WindowsBench implements AsyncDisposable {
  readonly cli = new CliFolder();
  readonly #simulator: WindowsSimulator | undefined;
  readonly #config: string | undefined;

  private constructor(simulator: WindowsSimulator | undefined, config: Readonly<Record<string, unknown>>) {
    this.#simulator = simulator;
    if (simulator === undefined && Object.keys(config).length === 0) return;
    const windows = simulator === undefined ? {} : { windows: simulator.config() };
    this.#config = this.cli.write("windlass.json", JSON.stringify({ ...windows, ...config }));
  }

  static async open({ config = {}, ...options }: WindowsBenchOptions = {}): Promise<WindowsBench> {
    return new WindowsBench(isIntegration ? undefined : await startWindowsSimulator(options), config);
  }

  /** @throws Error on a real machine: what needs its powers is not run there. */
  get simulator(): WindowsSimulator {
    if (this.#simulator === undefined) throw new Error("this scenario needs the simulator; skip it on a real machine");
    return this.#simulator;
  }

  call(args: readonly string[], options?: CallOptions): Promise<Finished> {
    return this.start(args, options).ended;
  }

  start(args: readonly string[], options?: CallOptions): RunningCli {
    const running = this.cli.start(this.#arguments(args), this.#options(options));
    void running.ended.then((finished) => recordCall(args, finished));
    return running;
  }

  /** Starts a worker and waits until it works. */
  async worker(args: readonly string[] = [], options?: CallOptions): Promise<RunningCli> {
    const worker = this.start(["worker", ...args], options);
    await worker.says("worker started");
    return worker;
  }

  /** Calls with `--json` and reads the one value on standard output. */
  async json<T = Record<string, unknown>>(
    args: readonly string[],
    options?: CallOptions,
  ): Promise<Finished & { readonly value: T }> {
    const finished = await this.call(["--json", ...args], options);
    try {
      return { ...finished, value: JSON.parse(finished.stdout) as T };
    } catch {
      throw new Error(`no JSON: ${finished.stdout}\n${finished.stderr}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cli[Symbol.asyncDispose]();
    await this.#simulator?.stop();
  }

  #arguments(args: readonly string[]): readonly string[] {
    return this.#config === undefined ? args : ["--config", this.#config, ...args];
  }

  #options({ env = {}, ...others }: CallOptions = {}): CallOptions {
    // The socket of a shared login has its folder here, so that no test finds another's.
    return { ...others, env: { XDG_RUNTIME_DIR: this.cli.path, ...(isIntegration ? machineVariables() : {}), ...env } };
  }
}
