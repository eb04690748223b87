/** What is watched, in the order in which it is asked: each stands on what comes before it, except the job backend. */
export const COMPONENTS = ["ssh", "aloha_server", "aloha_client", "backend", "playwright"] as const;

/** One thing that is watched. */
export type Component = (typeof COMPONENTS)[number];

/** What the setting `supervisor.failpoint` says. */
export type Failpoint = "ssh" | "aloha_server" | "aloha_client" | "hatchet" | "playwright";

/** The component that a failpoint makes fail; its word for the job backend is the name of one of them. */
export function componentOf(failpoint: Failpoint): Component {
  return failpoint === "hatchet" ? "backend" : failpoint;
}

/** What a look at a component found. */
export interface Finding {
  readonly isGood: boolean;
  /** One sentence. */
  readonly detail: string;
  /** False: no repair of ours could help. */
  readonly canRepair?: boolean;
}

/** What a repair did. `skipped`: there was nothing that it could do. */
export interface RepairEnd {
  readonly state: "done" | "skipped" | "failed";
  readonly detail: string;
}

/** One way to set a component right. */
export interface Repair {
  readonly name: "firewall_rule" | "start_cmd" | "start_task";
  run(options: { readonly signal: AbortSignal }): Promise<RepairEnd>;
}

/** A component of a host as the supervisor has it at hand. */
export interface Watched {
  readonly component: Component;
  /** Why there is nothing to look at; absent: there is. */
  readonly notConfigured?: string | undefined;
  /** Looks. What it throws is a failure as well. */
  probe(options: { readonly signal: AbortSignal }): Promise<Finding>;
  /** In the order in which they are made. */
  readonly repairs: readonly Repair[];
}

/** A host during one pass. */
export interface WatchedHost extends AsyncDisposable {
  readonly host: string;
  /** In the order of {@link COMPONENTS}. */
  readonly watched: readonly Watched[];
}
