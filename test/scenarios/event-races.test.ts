import { expect } from "vitest";
import { checkRounds, countAnswers, type Round, RoundEmitter, submitRounds } from "../support/event-rounds.ts";
import { type DeathAt, Failpoint } from "../support/failpoint.ts";
import { pairJob, turns } from "../support/pair-job.ts";
import { seeded } from "../support/random.ts";
import { type Bench, EMBEDDED, type Open, testOn } from "../support/test.ts";

const test = testOn(EMBEDDED);
const SEED = Number(process.env["SEED"] ?? 1);
/** `npm run torture` makes 10,000. */
const ROUNDS = Number(process.env["ROUNDS"] ?? 1_000);
/** Rounds of one seed: they run beside each other, a share in each life. */
const OF_A_SEED = 250;
const LIVES = 6;
const SHARE = Math.ceil(OF_A_SEED / LIVES);
/** About as many as a life makes. */
const STATEMENTS = 2_000;
const COMMITS = 60;

class Race {
  readonly emitter = new RoundEmitter();
  readonly rounds: Round[] = [];
  deaths = 0;
  readonly #open: Open;
  readonly #outer: Bench;
  readonly #random: () => number;

  constructor(open: Open, outer: Bench, seed: number) {
    this.#open = open;
    this.#outer = outer;
    this.#random = seeded(seed);
  }

  /** A process that works and emits. It dies at a moment of the seed's choice, or when all is emitted. */
  async liveAndDie(): Promise<void> {
    const failpoint = new Failpoint(this.#deathAt());
    const rounds = await this.#submitShare();
    const own = { own: [pairJob], folder: this.#outer.folder, unchecked: true };
    const victim = await failpoint.around(() => this.#open(own)).catch(() => undefined);
    if (victim === undefined) for (const { n } of rounds) this.#postponeBoth(n);
    else {
      const worker = await victim.worker({ concurrency: 50 }).catch(() => undefined);
      const emissions = rounds.map(({ n }) => this.#emitBoth(n, victim, () => failpoint.isDead));
      await Promise.race([failpoint.died, Promise.all(emissions)]);
      this.deaths += failpoint.isDead ? 1 : 0;
      failpoint.kill();
      await Promise.all(emissions);
      await worker?.stop({ graceMs: 0 });
    }
  }

  /** The last one lives on: it takes over what is left. */
  async live(): Promise<void> {
    const last = await this.#open({ own: [pairJob], folder: this.#outer.folder });
    await last.worker({ concurrency: 50 });
    const rounds = await this.#submitShare();
    await Promise.all([
      this.emitter.repeat(this.#outer),
      ...rounds.map(({ n }) => this.#emitBoth(n, last, () => false)),
    ]);
  }

  async #submitShare(): Promise<readonly Round[]> {
    const from = this.rounds.length;
    const rounds = await submitRounds(this.#outer, from, Math.min(SHARE, OF_A_SEED - from));
    this.rounds.push(...rounds);
    return rounds;
  }

  async #emitBoth(n: number, bench: Bench, isDead: () => boolean): Promise<void> {
    await turns(Math.floor(this.#random() * 150));
    if (this.#random() < 0.3) await this.emitter.emit(this.#outer, { n, event: 0 });
    else await this.emitter.emit(bench, { n, event: 0 }, isDead);
    if (this.#random() < 0.5) await turns(Math.floor(this.#random() * 20));
    await this.emitter.emit(bench, { n, event: 1 }, isDead);
  }

  #postponeBoth(n: number): void {
    for (const event of [0, 1]) this.emitter.postpone({ n, event });
  }

  #deathAt(): DeathAt {
    return this.#random() < 0.3
      ? { statement: Math.floor(this.#random() * STATEMENTS) }
      : { commit: Math.floor(this.#random() * COMMITS) };
  }
}

const totals = { deaths: 0, unanswered: 0, storedUntold: 0, atOnce: 0, later: 0 };
const seeds = Array.from({ length: Math.ceil(ROUNDS / OF_A_SEED) }, (_, n) => SEED + n);

test.for(seeds)(
  `an event before the wait, with it and after it, while processes die: none lost, none doubled, in their order; ${OF_A_SEED} rounds, seed %i`,
  { timeout: 120_000 },
  async (seed, { open }) => {
    const outer = await open({ own: [pairJob], config: { "job.crashes_max": 100 } });
    const race = new Race(open, outer, seed);
    for (let life = 1; life < LIVES; life++) await race.liveAndDie();
    await race.live();
    const replay = `ROUNDS=${OF_A_SEED} SEED=${seed} npx vitest run test/scenarios/event-races.test.ts`;
    await checkRounds(outer, race.rounds, replay);
    expect(race.rounds.length).toBe(OF_A_SEED);
    const { atOnce, later } = countAnswers(outer);
    totals.deaths += race.deaths;
    totals.unanswered += race.emitter.counts.unanswered;
    totals.storedUntold += race.emitter.counts.storedUntold;
    totals.atOnce += atOnce;
    totals.later += later;
  },
);

test("the rounds were what they are for: events before the wait and after it, deaths at failpoints, events stored and not told of", () => {
  if (process.env["ROUNDS"] !== undefined) console.log(`${seeds.length * OF_A_SEED} rounds:`, totals);
  const { storedUntold, ...always } = totals;
  for (const [name, count] of Object.entries(always)) expect(count, name).toBeGreaterThan(0);
  // One commit in a few hundred.
  if (ROUNDS >= 10_000) expect(storedUntold).toBeGreaterThan(0);
});
