import type { ChildOptions } from "./context.ts";

/** The names of {@link ChildOptions} but `key`, which only a plain job gives. */
export const CHILD_OPTIONS: readonly string[] = Object.keys({
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
} satisfies Record<Exclude<keyof ChildOptions, "key">, true>);
