import { Connection } from "../../src/database/connection.ts";
import { AppError } from "../../src/error.ts";

type Verb = "run" | "get" | "all" | "exec" | "pragma" | "prepare" | "reopen";
const VERBS: readonly Verb[] = ["run", "get", "all", "exec", "pragma", "prepare", "reopen"];

/** Before a statement that writes, or after a commit; each counted from 0, from when it was opened. */
export type DeathAt = { readonly statement: number } | { readonly commit: number };

/**
 * A place at which a backend of this process dies: at one statement of its writing connection, which may stand inside a
 * transaction (nothing of it is kept then) or be the commit itself (all of it is, and nobody was told). From then on it
 * cannot reach its file, and its worker's code goes on into nothing, as if its process had been killed there.
 */
export class Failpoint {
  readonly died: Promise<void>;
  readonly counts = { statements: 0, commits: 0 };
  readonly #at: DeathAt;
  #dead = false;
  #onDeath: () => void = () => undefined;

  constructor(at: DeathAt) {
    this.#at = at;
    this.died = new Promise((resolve) => {
      this.#onDeath = resolve;
    });
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Opens something whose connections are all under this failpoint. */
  async around<T>(open: () => Promise<T>): Promise<T> {
    const original = Connection.open;
    Connection.open = (...given: Parameters<typeof original>) => {
      const connection = original(...given);
      this.#attach(connection);
      return connection;
    };
    try {
      return await open();
    } finally {
      Connection.open = original;
    }
  }

  /** Now, wherever it stands. */
  kill(): void {
    this.#dead = true;
    this.#onDeath();
  }

  #attach(connection: Connection): void {
    for (const verb of VERBS) {
      const method = connection[verb].bind(connection) as (...given: unknown[]) => unknown;
      const guarded = (...given: unknown[]): unknown => {
        if (verb === "run" && !this.#dead) return this.#run(connection, () => method(...given), given[0] === "COMMIT");
        if (!this.#dead) return method(...given);
        return refuse(connection);
      };
      Object.defineProperty(connection, verb, { value: guarded });
    }
  }

  #run(connection: Connection, act: () => unknown, isCommit: boolean): unknown {
    const { counts } = this;
    if ("statement" in this.#at && counts.statements++ === this.#at.statement) {
      this.kill();
      return refuse(connection);
    }
    const made = act();
    if ("commit" in this.#at && isCommit && counts.commits++ === this.#at.commit) {
      this.kill();
      connection.close();
    }
    return made;
  }
}

/** What was not committed is gone with its connection. */
function refuse(connection: Connection): never {
  connection.close();
  throw new AppError("LEASE_LOST", "this process is dead");
}
