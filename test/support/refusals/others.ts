import { each, one, type Refusal, spans } from "./refusal.ts";

/** Of calls that make no job. */
export const others: readonly Refusal[] = [
  one("cancel of an id that there is not", (client) => client.cancel("01933b5e-7c00-7000-8000-0123456789ab"), [
    "JOB_NOT_FOUND",
    "01933b5e-7c00-7000-8000-0123456789ab",
  ]),
  one("cancel of a name near to a schedule", (client) => client.cancel("nigthly"), [
    "JOB_NOT_FOUND",
    "did you mean the schedule nightly?",
  ]),
  one("cancel of an empty text", (client) => client.cancel(""), ["JOB_NOT_FOUND", '""']),
  one("cancel of what is no text", (client) => client.cancel(5 as never), ["INVALID_INPUT", "number"]),
  one("wait for an id that there is not", (client) => client.wait("nothing", { wait: "1s" }), [
    "JOB_NOT_FOUND",
    "nothing",
  ]),
  ...each("wait", "INVALID_DURATION", spans("wait"), (client, options) => client.wait("nothing", options)),
  one("emit without a name", (client) => client.emit("", 1), ["INVALID_INPUT", "event"]),
  one("emit of what is no JSON", (client) => client.emit("x", () => 1), ["INVALID_INPUT", "JSON"]),
  one("emit of a bigint", (client) => client.emit("x", { n: 5n }), ["INVALID_INPUT", "JSON"]),
  one("emit with an option that there is not", (client) => client.emit("x", 1, { id: "e" } as never), [
    "INVALID_INPUT",
    "id",
  ]),
  ...each(
    "list",
    "INVALID_INPUT",
    [
      [{ limit: 0 }, "limit"],
      [{ limit: 1_001 }, "limit"],
      [{ state: "done" }, "states are scheduled, queued"],
      [{ state: "COMPLETED" }, "state"],
      [{ since: "today" }, "since"],
      [{ since: new Date(Number.NaN) }, "since"],
      [{ cursor: "x" }, "cursor"],
      [{ sort: "asc" }, "sort"],
    ],
    (client, filter) => client.list(filter),
  ),
  ...each(
    "approvals.list",
    "INVALID_INPUT",
    [
      [{ limit: 0 }, "limit"],
      [{ state: "done" }, "states are pending"],
      [{ cursor: "x" }, "cursor"],
      [{ job: "x" }, "job"],
    ],
    (client, filter) => client.approvals.list(filter),
  ),
  one("a statement about what there is not", (client) => client.approvals.statement("x", { decision: "approved" }), [
    "APPROVAL_NOT_FOUND",
    "x",
  ]),
  one("a decision about what there is not", (client) => client.approvals.decide("x", { decision: "approved" }), [
    "APPROVAL_NOT_FOUND",
    "x",
  ]),
  one("what is no decision", (client) => client.approvals.decide("x", { decision: "maybe" } as never), [
    "INVALID_INPUT",
    "maybe",
  ]),
  ...each(
    "startWorker",
    "INVALID_INPUT",
    [
      [{ concurrency: 0 }, "concurrency is 0"],
      [{ concurrency: 101 }, "concurrency is 101"],
      [{ concurrency: 1.5 }, "concurrency is 1.5"],
      [{ onStuck: "die" }, "onStuck"],
      [{ labels: { site: 1 } }, "label site"],
      [{ concurency: 1 }, "did you mean concurrency?"],
    ],
    (client, options) => client.startWorker(options),
  ),
  ...each(
    "close",
    "INVALID_DURATION",
    [
      [{ grace: -1 }, "grace"],
      [{ grace: Number.NaN }, "grace"],
      [{ grace: "soon" }, "grace"],
    ],
    (client, options) => client.close(options),
  ),
];
