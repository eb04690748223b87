import type { JobRequest } from "../../src/backend/submit.ts";
import type { JobState } from "../../src/job/state.ts";
import type { Windlass } from "../../src/windlass.ts";
import { seeded } from "./random.ts";
import type { WorkSpec } from "./work-type.ts";

const quick = { backoff: { first: "20ms", jitter: 0.5 } } as const;

/** At most this many jobs of one key at once, and this many starts in a second. */
export const KEY_LIMIT = 2;
export const RATE_UNITS = 40;

/** The job types of a load: one for each thing that a crash could break. */
export const LOAD_TYPES: readonly WorkSpec[] = [
  { name: "app.keyed", concurrency: [{ key: "key", limit: KEY_LIMIT }], ...quick },
  { name: "app.stop", afterCrash: "stop", ...quick },
  { name: "app.check", afterCrash: "check", checks: true, ...quick },
  { name: "app.family", ...quick },
  { name: "app.limited", rateLimit: { units: RATE_UNITS, per: "1s" }, ...quick },
];

/** What a job of a load is for; its name ends in it. */
export type LoadKind = "keyed" | "twice" | "stop" | "check" | "family" | "limited" | "delayed" | "expires" | "deadline";

const KINDS: readonly LoadKind[] = [
  ...(["keyed", "keyed", "keyed", "twice", "stop", "stop", "check", "check"] as const),
  ...(["family", "limited", "delayed", "expires", "deadline"] as const),
];

/** The kind of a job by its name. */
export function kindOf(name: string): LoadKind | "child" {
  return (name.split(".").at(-1) ?? "") as LoadKind | "child";
}

/** Somebody who enqueues. */
export interface Load {
  readonly prefix: string;
  readonly seed: number;
}

/** Enqueues, cancels and starts over without end, from several callers; tells before it cancels and after it was answered. */
export async function enqueueLoad(
  { submit, backend }: Pick<Windlass, "submit" | "backend">,
  { prefix, seed }: Load,
  tell: (line: object) => void,
): Promise<never> {
  const random = seeded(seed);
  const actor = { kind: "person", name: "tester", via: "library" } as const;
  let ordinal = 0;
  const one = async (state: JobState): Promise<string | undefined> =>
    (await backend.list({ limit: 1, state })).jobs[0]?.jobId;
  const cancelOne = async (jobId: string | undefined): Promise<void> => {
    if (jobId === undefined) return;
    tell({ cancels: jobId });
    await backend.cancel(jobId, actor);
  };
  const caller = async (): Promise<never> => {
    for (;;) {
      const request = { ...requestOf(`${prefix}-${++ordinal}`, random), actor };
      const [accepted] = await submit.submit([request]);
      const jobId = accepted?.jobId ?? "";
      tell({ acked: jobId, name: (request.input as { name: string }).name });
      if (request.options.idempotencyKey !== undefined) {
        const [again] = await submit.submit([request]);
        if (again?.jobId !== jobId) tell({ failed: { code: "TWICE", message: jobId } });
      }
      if (random() < 0.05) await cancelOne(jobId);
      if (random() < 0.05) await cancelOne(await one("running"));
      if (random() < 0.08) {
        const finished = await one(random() < 0.5 ? "completed" : "cancelled");
        if (finished !== undefined) await backend.replay(finished, actor);
      }
      // Backlog enough for everybody to be busy, and not more than a test has time for.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all(Array.from({ length: 3 }, caller));
  throw new Error("unreachable");
}

function requestOf(start: string, random: () => number): Omit<JobRequest, "actor"> {
  const kind = KINDS[Math.floor(random() * KINDS.length)] ?? "keyed";
  const name = `${start}.${kind}`;
  const key = `k${Math.floor(random() * 7)}`;
  const fails = random() < 0.1 ? { fails: 1 } : {};
  const soon = 5 + Math.floor(random() * 60);
  switch (kind) {
    case "keyed":
      return { type: "app.keyed", input: { name, key, ...fails }, options: {} };
    case "twice":
      return { type: "app.keyed", input: { name, key, ...fails }, options: { idempotencyKey: name } };
    case "stop":
      return { type: "app.stop", input: { name }, options: { priority: 3 } };
    case "check":
      return { type: "app.check", input: { name, ...fails }, options: {} };
    case "family": {
      const children = [`${name}.1.child`, `${name}.2.child`];
      return { type: "app.family", input: { name, children, childType: "app.keyed", ...fails }, options: {} };
    }
    case "limited":
      return { type: "app.limited", input: { name }, options: { priority: 1 } };
    case "delayed":
      return { type: "app.keyed", input: { name, key, ...fails }, options: { delay: soon } };
    case "expires":
      return { type: "app.check", input: { name }, options: { expiresIn: soon } };
    case "deadline":
      return { type: "app.keyed", input: { name, key, fails: 2 }, options: { deadline: soon } };
  }
}
