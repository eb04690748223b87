import type { Clock } from "../clock.ts";
import { AppError } from "../error.ts";
import type { JobType } from "../job/definition.ts";
import type { Actor } from "../policy/actor.ts";
import { nextInstant, parseCron } from "../schedule/cron.ts";
import type { ScheduleStore } from "./schedules.ts";

/**
 * Makes the schedules that job types declare (`cron`), named after their types, and removes those that their types declare
 * no more. What is there already and says the same is left as it is, paused or not; their jobs get `{}` as input.
 *
 * @throws AppError `INVALID_CRON`; `INVALID_DEFINITION` when the type does not take `{}`.
 */
export async function reconcileTypeSchedules(
  types: Iterable<JobType>,
  schedules: ScheduleStore,
  clock: Clock,
): Promise<void> {
  for (const { name, rules, input } of types) {
    const actor: Actor = { kind: "schedule", name, via: "library" };
    if (rules.cron === undefined) {
      await removeOwn(schedules, name, actor);
      continue;
    }
    if (!input.safeParse({}).success) {
      throw new AppError(
        "INVALID_DEFINITION",
        `job type ${name} has a cron line and does not take {} as input; give its fields defaults, or use a schedule with an input`,
      );
    }
    const { expression, timeZone } = rules.cron;
    const firstAtMs = nextInstant(parseCron(expression, timeZone), clock.now()) ?? Number.MAX_SAFE_INTEGER;
    await schedules.put(
      { name, cron: expression, timeZone, type: name, input: {}, options: {}, overlap: "skip", catchUp: "once" },
      actor,
      { replace: true, firstAtMs },
    );
  }
}

/** One that somebody else made under the name of a type is theirs. */
async function removeOwn(schedules: ScheduleStore, name: string, { kind, name: maker, via }: Actor): Promise<void> {
  const found = (await schedules.get(name))?.actor;
  if (found?.kind === kind && found.name === maker && found.via === via) await schedules.remove(name);
}
