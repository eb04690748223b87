/** Something that a job runs beside its program. */
export interface AlsoRuns {
  /** The field of the input that says it. */
  readonly field: string;
  /** Absent: a script. */
  readonly argv?: readonly string[];
}

/** What somebody wants to do, as far as a rule can look at it. One shape for operations and for jobs. */
export interface PolicyRequest {
  /** The operation's name, such as `jobs.enqueue`. */
  readonly operation: string;
  /** Whether the operation changes anything. */
  readonly access: "read" | "write";
  readonly jobType?: string;
  /** The name of the host that the job acts on. */
  readonly host?: string;
  readonly argv?: readonly string[];
  /** A command line for a remote shell. */
  readonly command?: string;
  /** The host of the URL that the job calls. */
  readonly urlHost?: string;
  /** Names of the variables that the job sets for its program. */
  readonly env?: readonly string[];
  /** What it runs beside `argv` or `command`. */
  readonly alsoRuns?: readonly AlsoRuns[];
  /** SHA-256 of the canonical input, what an approval is bound to. */
  readonly inputDigest?: string;
  /** Labels that the worker must have. */
  readonly labels: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** How often this actor used each limited rule in the running hour, by the rule's name. */
  readonly used: Readonly<Record<string, number>>;
}
