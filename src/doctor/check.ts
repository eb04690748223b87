import type { MachineIdentity } from "../attempt/handlers.ts";
import type { Clock } from "../clock.ts";
import type { Config, LoadedConfig } from "../config/config.ts";
import type { Connection } from "../database/connection.ts";
import type { ErrorRecord } from "../error.ts";
import type { Finding } from "./model/finding.ts";

/** What a check looks at. */
export interface CheckContext {
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly clock: Clock;
  readonly machine: MachineIdentity;
  /** Both clocks when the doctor began. */
  readonly began: { readonly wallMs: number; readonly monoMs: number };
  /** Where the database is, or would be. */
  readonly path: string;
  /** Opened for reading; `undefined` when there is none or it cannot be opened, and then `openError` says why. */
  readonly db: Connection | undefined;
  readonly openError: ErrorRecord | undefined;
}

/** A context for what takes a while. */
export interface NetworkContext extends CheckContext {
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** A context with a database. */
export interface OpenContext extends CheckContext {
  readonly db: Connection;
}

/** One check of this machine. */
export type Check =
  | { readonly name: string; readonly needs: "nothing"; readonly look: (context: CheckContext) => Finding }
  /** Looks over the network. */
  | { readonly name: string; readonly needs: "network"; readonly look: (context: NetworkContext) => Promise<Finding> }
  /** `file`: a database that can be opened; `records`: one of this program's schema as well. */
  | { readonly name: string; readonly needs: "file" | "records"; readonly look: (context: OpenContext) => Finding };
