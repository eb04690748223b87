import type { JobNumber } from "./job-number.ts";

/** What a commit tells the process that made it; other processes are woken through the wake files. */
export type Notice =
  /** A job became ready (or a cancel was asked for): workers should look. */
  | { readonly kind: "work" }
  /** A time was stored at which something becomes due. */
  | { readonly kind: "due"; readonly atMs: number }
  /** Jobs moved: those who watch them should look. */
  | { readonly kind: "moved"; readonly jobs: readonly JobNumber[] };

/** The notice of ready work, one object for all. */
export const WORK: Notice = { kind: "work" };
