import { existsSync } from "node:fs";
import type { PolicyGate } from "../backend/policy-gate.ts";
import { systemClock } from "../clock.ts";
import type { LoadedConfig } from "../config/config.ts";
import type { Flags } from "../config/load.ts";
import { lookUp } from "../config/sources/environment.ts";
import type { OpenMode } from "../database/open.ts";
import { homeFolder, osUser } from "../host/local/os-user.ts";
import type { JobType } from "../job/definition.ts";
import type { Logger } from "../logfmt.ts";
import type { CallContext, OperationParts, RequestedJob } from "../operations/operation.ts";
import { OPERATIONS } from "../operations/registry.ts";
import type { Actor } from "../policy/actor.ts";
import { callerOf } from "../policy/caller.ts";
import type { Windlass } from "../windlass.ts";
import type { GlobalValues } from "./global-flags.ts";

/** What a call of the program knows about itself. */
export interface SessionOptions {
  readonly globals: GlobalValues;
  /** Flags of the command that set something of the configuration. */
  readonly configFlags: Flags;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** One call of the program: opens what the command needs, when it needs it, and closes it. */
export class Session implements AsyncDisposable {
  readonly #options: SessionOptions;
  #config: Promise<LoadedConfig> | undefined;
  #types: Promise<readonly JobType[]> | undefined;
  #windlass: Promise<Windlass> | undefined;
  #gate: Promise<PolicyGate> | undefined;
  #actor: Actor | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** @throws AppError `USAGE` */
  get actor(): Actor {
    this.#actor ??= callerOf({
      onTerminal: process.stdin.isTTY === true || process.stdout.isTTY === true,
      user: osUser(),
      variable: lookUp(process.env, ["ACTOR"], false)?.value,
      asked: this.#options.globals.actor,
      via: "cli",
    });
    return this.#actor;
  }

  /** Loads the configuration once and logs its warnings. @throws AppError `CONFIG` */
  config(): Promise<LoadedConfig> {
    this.#config ??= this.#loadConfig();
    return this.#config;
  }

  /** The user's own job types: those of the configuration and of `--jobs`. */
  ownTypes(): Promise<readonly JobType[]> {
    this.#types ??= this.#loadTypes();
    return this.#types;
  }

  /** Opens the database once. @param own whether the user's own job types are needed. */
  open(mode: OpenMode, own: boolean): Promise<Windlass> {
    this.#windlass ??= this.#open(mode, own);
    return this.#windlass;
  }

  /**
   * Where the policy is asked: with the database that is open, else without one.
   *
   * @throws AppError `CONFIG` when there is a policy that cannot be read or is wrong.
   */
  async gate(): Promise<PolicyGate> {
    if (this.#windlass !== undefined) return (await this.#windlass).gate;
    return this.#gateAlone();
  }

  /**
   * Refuses jobs that no rule could allow before a database is made or migrated for them. Where there is one, the submit
   * function asks, which knows more.
   *
   * @throws AppError `POLICY_DENIED`, `CONFIG`.
   */
  async askAhead(operation: string, jobs: readonly RequestedJob[], mode: OpenMode): Promise<void> {
    const { config } = await this.config();
    if (this.#windlass !== undefined || (mode !== "migrate" && existsSync(config.database.path))) return;
    const [gate, { askAhead }, { builtInTypes }] = await Promise.all([
      this.#gateAlone(),
      import("../operations/ask-ahead.ts"),
      import("../job-type/registry.ts"),
    ]);
    const types = [...builtInTypes(config), ...(await this.ownTypes())];
    await gate.recorded(() => askAhead(gate, { actor: this.actor, operation, jobs, types }));
  }

  /** The context of an operation that needs no database. */
  context(): CallContext {
    const actor = (): Actor => this.actor;
    return {
      // Read where it is needed: `policy check --actor` asks about anybody.
      get actor() {
        return actor();
      },
      clock: systemClock,
      signal: this.#options.signal,
      cwd: process.cwd(),
      environment: process.env,
      loadConfig: () => this.config(),
      accessOf: async (operation) => (await OPERATIONS.find(({ name }) => name === operation)?.load())?.access,
      gate: () => this.gate(),
    };
  }

  /** The context of an operation on the database. */
  contextWith(windlass: OperationParts): CallContext & { readonly windlass: OperationParts } {
    return { ...this.context(), windlass };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const windlass = await this.#windlass?.catch(() => undefined);
    await windlass?.[Symbol.asyncDispose]();
  }

  async #loadConfig(): Promise<LoadedConfig> {
    const { loadConfig } = await import("../config/load.ts");
    const { globals, configFlags, log } = this.#options;
    const loaded = await loadConfig({
      configPath: globals.config,
      flags: { ...configFlags, "database.path": globals.db, policy: globals.policy },
      env: process.env,
      cwd: process.cwd(),
      home: homeFolder(),
    });
    for (const warning of loaded.warnings) log.warn("config", warning);
    return loaded;
  }

  async #loadTypes(): Promise<readonly JobType[]> {
    const { config } = await this.config();
    if (config.jobs.length === 0) return [];
    const { loadJobFiles } = await import("../job-type/job-files.ts");
    return loadJobFiles(config.jobs);
  }

  #gateAlone(): Promise<PolicyGate> {
    this.#gate ??= this.#openGate();
    return this.#gate;
  }

  async #openGate(): Promise<PolicyGate> {
    const { config } = await this.config();
    const { openGate } = await import("../operations/open-gate.ts");
    return openGate(config);
  }

  async #open(mode: OpenMode, own: boolean): Promise<Windlass> {
    const { config } = await this.config();
    const { composeWindlass } = await import("../windlass.ts");
    const { inForce } = await this.#gateAlone();
    const types = own ? await this.ownTypes() : [];
    return composeWindlass({ config, mode, types, environment: process.env, inForce });
  }
}
