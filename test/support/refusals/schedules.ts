import { each, one, type Refusal, spans } from "./refusal.ts";
import { a, mail } from "./types.ts";

const BAD_CRONS: readonly (readonly [string, string])[] = [
  ["61 * * * *", "minute"],
  ["* 24 * * *", "hour"],
  ["* * 0 * *", "day-of-month"],
  ["* * 32 * *", "day-of-month"],
  ["* * * 13 *", "month"],
  ["* * * * 8", "day-of-week"],
  ["*/0 * * * *", "minute"],
  ["5-1 * * * *", "minute"],
  ["a * * * *", "minute"],
  ["* * * *", "4 fields"],
  ["* * * * * *", "6 fields"],
  ["@daily", "1 field"],
  ["0 0 31 2 *", "never comes true"],
  ["", "0 fields"],
];

/** Of calls that make something for later. */
export const schedules: readonly Refusal[] = [
  ...each("schedule", "INVALID_DURATION", spans("after"), (client, time) => client.schedule(mail, a, time)),
  ...each(
    "schedule",
    "INVALID_INPUT",
    [
      [{ at: new Date(Number.NaN) }, "at is not a date"],
      [{ at: "2027-01-01" }, "at is not a date"],
      [{ at: Date.now() }, "at is not a date"],
      [{ at: new Date(Date.now() + 367 * 86_400_000) }, "run_at is more than 366 days away"],
      [{}, "give one of { after }, { at } and { cron }"],
      [{ after: "1m", at: new Date() }, "not after and at"],
      [{ after: "1m", cron: "* * * * *" }, "not after and cron"],
      [{ after: "1m", delay: "1m" }, "there is no option delay"],
      [{ after: "1m", idempotencykey: "x" }, "did you mean idempotencyKey?"],
      [{ cron: 5 }, "cron is 5"],
      [{ cron: "0 0 * * *", name: "a b" }, "name"],
      [{ cron: "0 0 * * *", name: "" }, "name"],
      [{ cron: "0 0 * * *", overlap: "queue" }, "overlap"],
      [{ cron: "0 0 * * *", catchUp: "all" }, "catchUp"],
      [{ cron: "0 0 * * *", timezone: "UTC" }, "did you mean timeZone?"],
      [{ cron: "0 0 * * *", idempotencyKey: "x" }, "idempotencyKey"],
      [{ cron: "0 0 * * *", retries: 9 }, "retries"],
    ],
    (client, time) => client.schedule(mail, a, time),
  ),
  ...each(
    "schedule",
    "INVALID_CRON",
    BAD_CRONS.map(([cron, says]) => [{ cron }, says]),
    (client, times) => client.schedule(mail, a, times),
  ),
  ...each(
    "schedule",
    "INVALID_CRON",
    [
      [{ cron: "0 0 * * *", timeZone: "Berlin" }, "did you mean Europe/Berlin?"],
      [{ cron: "0 0 * * *", timeZone: "+02:00" }, "+02:00"],
    ],
    (client, times) => client.schedule(mail, a, times),
  ),
  ...each("schedule", "INVALID_DURATION", [[{ cron: "0 0 * * *", timeout: "never" }, "timeout"]], (client, times) =>
    client.schedule(mail, a, times),
  ),
  ...each("schedule", "SCHEDULE_EXISTS", [[{ cron: "1 0 * * *", name: "nightly" }, "replace: true"]], (client, times) =>
    client.schedule(mail, a, times),
  ),
  one("schedule of nothing", (client) => client.schedule(mail, a, undefined as never), [
    "INVALID_INPUT",
    "give one of",
  ]),
  one("schedule of an unknown type", (client) => client.schedule("app.mial", a, { after: "1m" }), [
    "UNKNOWN_JOB_TYPE",
    "app.mail",
  ]),
  one("schedule of a wrong input", (client) => client.schedule("app.mail", {}, { after: "1m" }), [
    "INVALID_INPUT",
    "input.to",
  ]),
  one("cron schedule of a wrong input", (client) => client.schedule("app.mail", {}, { cron: "0 0 * * *" }), [
    "INVALID_INPUT",
    "input.to",
  ]),
  one("cron schedule of an unknown type", (client) => client.schedule("app.mial", a, { cron: "0 0 * * *" }), [
    "UNKNOWN_JOB_TYPE",
    "app.mail",
  ]),
];
