import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { emitted } from "./durable.ts";
import { type Bench, TESTER } from "./test.ts";

/** One job that waits twice for the events of its round. */
export interface Round {
  readonly n: number;
  readonly jobId: string;
}

/** Makes the jobs of some rounds. */
export async function submitRounds(bench: Bench, from: number, count: number): Promise<readonly Round[]> {
  const accepted = await bench.windlass.submit.submit(
    Array.from({ length: count }, (_, n) => ({ type: "app.pair", input: { n: from + n }, options: {}, actor: TESTER })),
  );
  return accepted.map(({ jobId }, n) => ({ n: from + n, jobId }));
}

interface RoundEvent {
  readonly n: number;
  readonly event: number;
}

/** Emits the events of rounds, and again what nobody was told to be stored: with the same id, as a client does. */
export class RoundEmitter {
  readonly counts = { unanswered: 0, storedUntold: 0 };
  #again: RoundEvent[] = [];

  /** @param isLost true where whoever was answered is dead. */
  async emit(by: Bench, { n, event }: RoundEvent, isLost: () => boolean = () => false): Promise<void> {
    const isAnswered = await emitted(by, "go", { n, event }, `${n}/${event}`).then(
      () => !isLost(),
      () => false,
    );
    if (!isAnswered) this.postpone({ n, event });
  }

  /** It was not emitted, or nobody knows. */
  postpone(event: RoundEvent): void {
    this.counts.unanswered++;
    this.#again.push(event);
  }

  /** In the order of the events of a round. */
  async repeat(by: Bench): Promise<void> {
    for (const { n, event } of this.#again.splice(0).sort((a, b) => a.event - b.event))
      if ((await emitted(by, "go", { n, event }, `${n}/${event}`)).existing) this.counts.storedUntold++;
  }
}

/** Every round ended with its two events, each once and in their order. */
export async function checkRounds(bench: Bench, rounds: readonly Round[], replay: string): Promise<void> {
  for (const { n, jobId } of rounds) {
    const { state, result } = await bench
      .settled(jobId, 60_000)
      .catch((error: Error) => ({ state: "lost", result: error.message }));
    const events = [0, 1].map((event) => ({ n, event }));
    expect({ n, state, result }, `once more: ${replay}`).toEqual({ n, state: "completed", result: events });
  }
}

/** How many waits were answered as they were made, and how many later. */
export function countAnswers(bench: Bench): { readonly atOnce: number; readonly later: number } {
  const db = new DatabaseSync(bench.databasePath, { readOnly: true });
  try {
    const row = db
      .prepare("SELECT sum(at = settled) AS atOnce, sum(at < settled) AS later FROM recorded WHERE kind = 'waitFor'")
      .get();
    return { atOnce: Number(row?.["atOnce"]), later: Number(row?.["later"]) };
  } finally {
    db.close();
  }
}
