import type { ChildOptions } from "./context.ts";
import type { SubmitOptions } from "./options.ts";

/** The names of {@link SubmitOptions}; the type says which, so that a new one cannot be forgotten here. */
export const SUBMIT_OPTIONS = Object.keys({
  idempotencyKey: true,
  fresh: true,
  priority: true,
  delay: true,
  runAt: true,
  expiresIn: true,
  deadline: true,
  timeout: true,
  retries: true,
  retryOn: true,
  afterCrash: true,
  requires: true,
  metadata: true,
  traceId: true,
} satisfies Record<keyof SubmitOptions, true>) as readonly (keyof SubmitOptions)[];

/** The names of {@link ChildOptions} but `key`, which only a plain job gives. */
export const CHILD_OPTIONS: readonly (keyof ChildOptions)[] = SUBMIT_OPTIONS.filter(
  (name) => name !== "idempotencyKey" && name !== "traceId",
);
