import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { DurableServices, Issued, PlacedCall, Suspendable } from "../../attempt/durable/services.ts";
import { AppError } from "../../error.ts";
import type { TransactionTables } from "../../job/durable/context.ts";
import { keyForShape } from "../../job/durable/match.ts";
import { NOTHING, readOutcome, TIMED_OUT, writeValue } from "../../job/durable/outcome.ts";
import { describeCall, type RecordedCall } from "../../job/durable/record.ts";

/** What the world answers in a rehearsal; each list is used up from its beginning. */
export interface RehearsalAnswers {
  /** Payloads of events by their names. Where none is left or fits, a wait with a timeout times out. */
  readonly events?: Readonly<Record<string, readonly unknown[]>>;
  /** Results of awaited children by the names of their types. */
  readonly children?: Readonly<Record<string, readonly unknown[]>>;
  /** What people decide, one for each approval. */
  readonly approvals?: readonly ("approved" | "rejected" | "expired")[];
}

interface Stored {
  readonly call: PlacedCall;
  readonly outcome: string;
}

/** The record of a rehearsed run, in memory. What a call waits for has come by the time its code runs again. */
export class RehearsalRecord implements Disposable {
  readonly #stored: Stored[] = [];
  readonly #events: Map<string, unknown[]>;
  readonly #children: Map<string, unknown[]>;
  readonly #approvals: ("approved" | "rejected" | "expired")[];
  readonly #tables = new DatabaseSync(":memory:");

  constructor({ events = {}, children = {}, approvals = [] }: RehearsalAnswers) {
    this.#events = copyLists(events);
    this.#children = copyLists(children);
    this.#approvals = [...approvals];
  }

  /** The calls, as `step "build"`. */
  get calls(): readonly string[] {
    return this.#stored.map(({ call }) => describeCall(call));
  }

  /** The next run begins with an empty one. */
  clear(): void {
    this.#stored.length = 0;
  }

  services(): Omit<DurableServices, "backoff" | "positionsMax"> {
    return {
      records: (from) => this.#records(from),
      keptFiles: () => [],
      append: async (call, outcome) => this.#store(call, outcome),
      wait: async (call, awaited, code) => {
        const outcome = awaited.kind === "sleep" ? NOTHING : this.#event(awaited);
        return this.#open(call, outcome, code);
      },
      child: async (call, child, code) => {
        if (child.awaited) return this.#open(call, this.#answer("children", this.#children, child.type), code);
        const outcome = writeValue(JSON.stringify({ jobId: randomUUID() }));
        this.#store(call, outcome);
        return { kind: "settled", outcome };
      },
      approve: async (call, _, code) =>
        this.#stored.some((stored) => stored.call.position === call.position)
          ? { kind: "settled", outcome: this.#outcomeAt(call.position) }
          : this.#open(call, this.#decision(call), code),
      confirm: async () => undefined,
      suspend: async () => ({ kind: "suspended" }),
      transaction: async (call, action, write) => {
        const outcome = write({ value: action(this.#userTables()) });
        this.#store(call, outcome);
        return outcome;
      },
    };
  }

  [Symbol.dispose](): void {
    this.#tables.close();
  }

  #records(from: number): RecordedCall[] {
    return this.#stored
      .filter(({ call }) => call.position >= from)
      .sort((a, b) => a.call.position - b.call.position)
      .map(({ call, outcome }) => ({ ...call, outcome: () => readOutcome(outcome) }));
  }

  #store(call: PlacedCall, outcome: string): void {
    this.#stored.push({ call, outcome });
  }

  #outcomeAt(position: number): string {
    return this.#stored.find(({ call }) => call.position === position)?.outcome ?? NOTHING;
  }

  /** The call waits, and its code is suspended; what it waits for has come when that runs again. */
  #open(call: PlacedCall, outcome: string, code: Suspendable | undefined): Issued {
    this.#store(call, outcome);
    return { kind: "open", suspended: code !== undefined };
  }

  #event(awaited: Extract<Parameters<DurableServices["wait"]>[1], { kind: "event" }>): string {
    const { event, match, timeoutMs } = awaited;
    const payloads = this.#events.get(event) ?? [];
    const at = payloads.findIndex((payload) => keyForShape(match.shape, payload) === match.key);
    if (at !== -1) return writeValue(JSON.stringify(payloads.splice(at, 1)[0]));
    if (timeoutMs !== undefined) return TIMED_OUT;
    throw missing(`event ${JSON.stringify(event)}`, "events");
  }

  #decision({ name }: PlacedCall): string {
    const decision = this.#approvals.shift();
    if (decision === undefined) throw missing(`approval ${JSON.stringify(name)}`, "approvals");
    const decided_by = decision === "expired" ? [] : ["rehearsal"];
    const outcome = { approval_id: randomUUID(), decision, decided_by, reason: "", level: null, decided_at: null };
    return writeValue(JSON.stringify(outcome));
  }

  #answer(member: string, lists: Map<string, unknown[]>, name: string): string {
    const list = lists.get(name) ?? [];
    if (list.length === 0) throw missing(`child ${JSON.stringify(name)}`, member);
    return writeValue(JSON.stringify(list.shift()));
  }

  #userTables(): TransactionTables {
    const db = this.#tables;
    return {
      run: (sql, ...values) => db.prepare(sql).run(...values) as { changes: number; lastInsertRowid: number },
      get: <Row>(sql: string, ...values: never[]) => db.prepare(sql).get(...values) as Row | undefined,
      all: <Row>(sql: string, ...values: never[]) => db.prepare(sql).all(...values) as Row[],
    } as TransactionTables;
  }
}

function copyLists(lists: Readonly<Record<string, readonly unknown[]>>): Map<string, unknown[]> {
  return new Map(Object.entries(lists).map(([name, list]) => [name, [...list]]));
}

function missing(what: string, member: string): AppError {
  return new AppError("INVALID_INPUT", `the rehearsal has no answer for the ${what}; give it one in \`${member}\``);
}
