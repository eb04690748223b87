import { each, one, type Refusal, spans } from "./refusal.ts";
import { a, mail, notify, stranger, twin } from "./types.ts";

const circle: { self?: unknown } = {};
circle.self = circle;

/** Of the calls that make jobs. */
export const submits: readonly Refusal[] = [
  ...each("submit", "INVALID_DURATION", spans("delay"), (client, options) => client.submit(mail, a, options)),
  ...each(
    "submit",
    "INVALID_DURATION",
    [
      [{ expiresIn: 0 }, "expires_in"],
      [{ deadline: "x" }, "deadline"],
      [{ timeout: "25h" }, "timeout"],
    ],
    (client, options) => client.submit(mail, a, options),
  ),
  ...each(
    "submit",
    "INVALID_INPUT",
    [
      [{ retries: 4 }, "retries"],
      [{ priority: 4 }, "priority"],
      [{ runAt: new Date(Number.NaN) }, "run_at"],
      [{ runAt: "tomorrow" }, "runAt is not a Date"],
      [{ runAt: new Date(Date.now() + 367 * 86_400_000) }, "run_at is more than 366 days away"],
      [{ delay: "1m", runAt: new Date() }, "delay and run_at"],
      [{ traceId: "a b" }, "trace_id"],
      [{ retryOn: "exit" }, "retry_on"],
      [{ idempotencyKey: "" }, "idempotency_key"],
      [{ idempotencykey: "x" }, "did you mean idempotencyKey?"],
      [{ metadata: { a: 1 } }, "metadata.a"],
    ],
    (client, options) => client.submit(mail, a, options),
  ),
  ...each("submit", "TOO_LARGE", [[{ metadata: { a: "x".repeat(513) } }, "metadata"]], (client, options) =>
    client.submit(mail, a, options),
  ),
  ...each(
    "submit of input",
    "INVALID_INPUT",
    [
      [{}, "input.to"],
      [{ to: 1 }, "input.to"],
      [{ to: "a", copies: 0 }, "input.copies"],
      [{ to: "a", cc: "b" }, "cc"],
      [{ to: { $secret: "CHAT_TOKEN" } }, "input.to"],
    ],
    (client, input) => client.submit("app.mail", input),
  ),
  ...each("submit of input", "INVALID_INPUT", [[{ token: { $secret: "OTHER" } }, "OTHER"]], (client, input) =>
    client.submit(notify, input),
  ),
  ...each("submit of a durable job", "INVALID_INPUT", [[{ id: "7" }, "input.id"]], (client, input) =>
    client.submit("app.order", input),
  ),
  one("submit of an input with a bigint", (client) => client.submit("app.any", { n: 5n }), [
    "INVALID_INPUT",
    "app.any",
  ]),
  one("submit of an input that holds itself", (client) => client.submit("app.any", circle), [
    "INVALID_INPUT",
    "app.any",
  ]),
  one("submit of a function", (client) => client.submit("app.any", () => 1), ["INVALID_INPUT", "app.any"]),
  one("submit of no options", (client) => client.submit(mail, a, null as never), ["INVALID_INPUT", "options"]),
  one("submit of no input", (client) => client.submit("app.mail", undefined), ["INVALID_INPUT", "app.mail"]),
  one("submit of a name near to one", (client) => client.submit("app.mial", a), [
    "UNKNOWN_JOB_TYPE",
    "did you mean app.mail?",
  ]),
  one("submit of a name near to none", (client) => client.submit("quite.other", a), [
    "UNKNOWN_JOB_TYPE",
    "quite.other",
  ]),
  one("submit of a type that was not loaded", (client) => client.submit(stranger, {}), [
    "UNKNOWN_JOB_TYPE",
    "openWindlass({ jobs: [...] })",
  ]),
  one("submit of another type of a name", (client) => client.submit(twin, { to: 1 }), [
    "INVALID_DEFINITION",
    "names are unique",
  ]),
  one("submit of what is no type", (client) => client.submit(undefined as never, {}), ["INVALID_INPUT", "undefined"]),
  one("submit of a key with another input", (client) => client.submit(mail, { to: "b" }, { idempotencyKey: "k" }), [
    "IDEMPOTENCY_CONFLICT",
    "k",
  ]),
  one("submitMany of what is no list", (client) => client.submitMany({} as never), ["INVALID_INPUT", "submitMany"]),
  ...each(
    "submitMany of a good one and",
    "INVALID_INPUT",
    [
      [{ type: "app.mail", input: { to: 1 } }, "input.to"],
      [{ type: "app.mail", input: a, options: { dellay: "1s" } }, "did you mean delay?"],
    ],
    (client, wrong) => client.submitMany([{ type: mail, input: a }, wrong]),
  ),
  ...each(
    "submitMany of a good one and",
    "INVALID_DURATION",
    [[{ type: "app.mail", input: a, options: { delay: 0 } }, "delay"]],
    (client, wrong) => client.submitMany([{ type: mail, input: a }, wrong]),
  ),
  ...each(
    "submitMany of a good one and",
    "UNKNOWN_JOB_TYPE",
    [[{ type: "app.mial", input: a }, "app.mail"]],
    (client, wrong) => client.submitMany([{ type: mail, input: a }, wrong]),
  ),
  ...each(
    "submitMany of a good one and",
    "IDEMPOTENCY_CONFLICT",
    [[{ type: "app.mail", input: { to: "b" }, options: { idempotencyKey: "k" } }, "k"]],
    (client, wrong) => client.submitMany([{ type: mail, input: a }, wrong]),
  ),
  one(
    "submitMany of one too many",
    (client) =>
      client.submitMany([
        { type: mail, input: a },
        { type: mail, input: a },
      ]),
    ["QUEUE_FULL", "app.mail"],
  ),
  ...each("runAndWait", "INVALID_DURATION", spans("wait"), (client, options) => client.runAndWait(mail, a, options)),
  ...each("runAndWait", "INVALID_DURATION", [[{ delay: -1 }, "delay"]], (client, options) =>
    client.runAndWait(mail, a, options),
  ),
  ...each("runAndWait", "INVALID_INPUT", [[{ within: "1s" }, "within"]], (client, options) =>
    client.runAndWait(mail, a, options),
  ),
];
