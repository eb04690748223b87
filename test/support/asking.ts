import type { Approval } from "../../src/approval/approval.ts";
import type { DecideResult } from "../../src/backend/approvals.ts";
import type { BackendWorker } from "../../src/backend/serving.ts";
import type { JobType } from "../../src/job/definition.ts";
import type { ApproveOptions } from "../../src/job/durable/approve-options.ts";
import type { SubmitOptions } from "../../src/job/options.ts";
import { Approvers, pendingOf, type Saying } from "./approvers.ts";
import { durable, waits } from "./durable.ts";
import { AGENT, type Bench, type BenchOptions, type TestBackend, testOn } from "./test.ts";

export const HOUR_MS = 3_600_000;

/** Somebody decides what is asked. */
type Decide = (principal: string, saying?: Saying) => Promise<DecideResult>;

/** A bench by whose policy agents need an approval for each job; people and jobs do not. */
export interface AskingBench extends Bench {
  /** {@link AGENT} submits a job. Default: an `app.work` whose name is `a`. */
  ask(
    type?: string,
    input?: object,
    options?: SubmitOptions,
  ): Promise<{ readonly jobId: string; readonly approvalId: string; readonly decide: Decide }>;
}

interface AskingOptions extends BenchOptions {
  /** What the rule `ask` wants, as the policy file has it. Default: the yes of anna or bert, within an hour. */
  readonly approval?: string;
  /** How often that rule lets agents ask. Default: as often as they like. */
  readonly limit?: string;
  /** Who stands in the policy as an approver. Default: all. */
  readonly known?: readonly string[];
}

/** A durable job that waits for its first approval, in a worker. */
export interface AskedJob {
  readonly bench: Bench;
  readonly worker: BackendWorker;
  readonly id: string;
  readonly approval: Approval;
  readonly decide: Decide;
}

interface AskedOptions extends BenchOptions {
  /** What the job is given. Default: nothing. */
  readonly input?: object;
}

/** A durable job that asks people once, and ends with their answer. */
export const approveOnce = (options: Partial<ApproveOptions> = {}): JobType =>
  durable((ctx) => ctx.approve({ title: "Deploy 7", details: { tag: "v7" }, ...options }));

interface Fixture {
  /** Anna, Bert and Carl, who have keys. */
  readonly people: Approvers;
  /** Opens a bench on which agents must ask; with a test clock, its workers look around every 10 s. */
  readonly openAsking: (options?: AskingOptions) => Promise<AskingBench>;
  /** Opens a bench on which all is allowed, and runs a durable job there until it asks people. */
  readonly askedBy: (job: JobType, options?: AskedOptions) => Promise<AskedJob>;
}

/** As {@link testOn}, with people who decide. Needs ssh. */
export function approvalTestOn(target: TestBackend) {
  return testOn(target).extend<Fixture>({
    people: [
      // biome-ignore lint/correctness/noEmptyPattern: vitest reads the pattern
      async ({}, use) => {
        using people = new Approvers("anna", "bert", "carl");
        await use(people);
      },
      { scope: "file" },
    ],
    openAsking: async ({ open, people }, use) =>
      use(async ({ approval = "by: [anna, bert], expires: 1h", limit, known, ...options } = {}) => {
        const rules = [
          'name: people, actors: ["person:*", "job:*"], allow: true',
          `name: ask, actors: ["agent:*"], approval: { ${approval} }${limit === undefined ? "" : `, limit: ${limit}`}`,
        ];
        const tick = options.clock === undefined ? {} : { "worker.tick": "10s" };
        const config = { ...people.policy(rules, known), ...tick, ...options.config };
        const bench = await open({ types: [{ name: "app.work" }], ...options, config });
        return Object.assign(bench, {
          ask: async (type = "app.work", input: object = { name: "a" }, submit: SubmitOptions = {}) => {
            const { jobId, approvalId = "" } = await bench.accept(type, input, submit, { actor: AGENT });
            return { jobId, approvalId, decide: people.deciding(bench, approvalId) };
          },
        });
      }),
    askedBy: async ({ open, people }, use) =>
      use(async (job, { input = {}, ...options } = {}) => {
        const bench = await open({ own: [job], config: people.policy(), ...options });
        const worker = await bench.worker();
        const id = await bench.submit("app.durable", input);
        await waits(bench, id);
        const approval = await pendingOf(bench, id);
        return { bench, worker, id, approval, decide: people.deciding(bench, approval.approvalId) };
      }),
  });
}
