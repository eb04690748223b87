import { type Connection, readJson } from "../../../database/connection.ts";
import type { JobRules } from "../../../job/spec.ts";
import type { Actor } from "../../../policy/actor.ts";

/** A queue: a job type and the labels that a worker must have. */
export interface Queue {
  readonly id: number;
  readonly type: string;
  readonly requires: Readonly<Record<string, string>>;
}

/**
 * Rows that many jobs share, by number. Rows are never changed or removed, so what was read once stays true; what was
 * made in a transaction that rolled back is forgotten again through {@link forget}.
 */
export class Interned {
  /** By type and labels. */
  readonly #queueIds = new Map<string, Map<string, number>>();
  readonly #queues = new Map<number, Queue>();
  readonly #rulesIds = new Map<JobRules, number>();
  readonly #rules = new Map<number, JobRules>();
  readonly #actorIds = new Map<string, number>();
  /** The same object for many jobs: its text is put together once. */
  #known = new WeakMap<Actor, number>();
  readonly #actors = new Map<number, Actor>();

  queueId(db: Connection, type: string, requires: Readonly<Record<string, string>>): number {
    const labels = canonicalLabels(requires);
    const ofType = remember(this.#queueIds, type, () => new Map<string, number>());
    return remember(ofType, labels, () => {
      db.run("INSERT INTO queue (type, requires) VALUES (?, ?) ON CONFLICT DO NOTHING", type, labels);
      return db.get<{ id: number }>("SELECT id FROM queue WHERE type = ? AND requires = ?", type, labels)?.id ?? 0;
    });
  }

  queue(db: Connection, id: number): Queue {
    return remember(this.#queues, id, () => {
      const row = db.get<{ type: string; requires: string }>("SELECT type, requires FROM queue WHERE id = ?", id);
      return {
        id,
        type: row?.type ?? "",
        requires: readJson<Record<string, string>>(row?.requires ?? "{}", `queue ${id}`),
      };
    });
  }

  /** By identity first: all jobs of a type share one object. */
  rulesId(db: Connection, rules: JobRules): number {
    return remember(this.#rulesIds, rules, () => {
      const body = JSON.stringify(rules);
      db.run("INSERT INTO rules (body) VALUES (?) ON CONFLICT DO NOTHING", body);
      return db.get<{ id: number }>("SELECT id FROM rules WHERE body = ?", body)?.id ?? 0;
    });
  }

  rules(db: Connection, id: number): JobRules {
    return remember(this.#rules, id, () => {
      const row = db.get<{ body: string }>("SELECT body FROM rules WHERE id = ?", id);
      return readJson<JobRules>(row?.body ?? "", `rules ${id}`);
    });
  }

  actorId(db: Connection, actor: Actor): number {
    const known = this.#known.get(actor);
    if (known !== undefined) return known;
    const { kind, name, via } = actor;
    const id = remember(this.#actorIds, `${kind}:${via}:${name}`, () => {
      db.run("INSERT INTO actor (kind, name, via) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", kind, name, via);
      return (
        db.get<{ id: number }>("SELECT id FROM actor WHERE kind = ? AND name = ? AND via = ?", kind, name, via)?.id ?? 0
      );
    });
    this.#known.set(actor, id);
    return id;
  }

  actor(db: Connection, id: number): Actor {
    return remember(this.#actors, id, () => {
      const row = db.get<Actor>("SELECT kind, name, via FROM actor WHERE id = ?", id);
      return row ?? { kind: "agent", name: "unknown", via: "library" };
    });
  }

  /** After a rollback: a number that was given out may not exist. */
  forget(): void {
    this.#queueIds.clear();
    this.#rulesIds.clear();
    this.#actorIds.clear();
    this.#known = new WeakMap();
    this.#queues.clear();
    this.#rules.clear();
    this.#actors.clear();
  }
}

/** Labels as one text that is equal for equal labels. */
export function canonicalLabels(labels: Readonly<Record<string, string>>): string {
  const names = Object.keys(labels);
  if (names.length === 0) return "{}";
  return JSON.stringify(Object.fromEntries(names.sort().map((name) => [name, labels[name]])));
}

/** True when a worker with these labels may run jobs that require those. */
export function labelsCover(
  labels: Readonly<Record<string, string>>,
  requires: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(requires).every(([name, value]) => labels[name] === value);
}

function remember<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
