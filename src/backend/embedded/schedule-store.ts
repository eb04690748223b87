import type { Connection } from "../../database/connection.ts";
import type { Writer } from "../../database/writer.ts";
import type { ScheduleStore } from "../schedules.ts";
import type { Interned } from "./rows/intern.ts";
import type { JobNumbers } from "./rows/job-number.ts";
import type { Notice } from "./rows/notice.ts";
import { advanceSchedule, putSchedule, readSchedules, removeSchedule, setNextSlot } from "./schedules.ts";

/** The schedules of this database behind the contract that every backend keeps. */
export function scheduleStore(parts: {
  readonly db: Connection;
  readonly writer: Writer<Notice>;
  readonly numbers: JobNumbers;
  readonly interned: Interned;
}): ScheduleStore {
  const { writer, interned } = parts;
  return {
    put: (spec, actor, { replace, firstAtMs }) =>
      writer.mutate((tx) => putSchedule(tx, spec, { actor: interned.actorId(tx.db, actor), replace, firstAtMs })),
    get: async (name) => readSchedules(parts, { name })[0],
    list: async () => readSchedules(parts, {}),
    setNext: (name, nextAtMs) => writer.mutate((tx) => setNextSlot(tx, name, nextAtMs)),
    remove: (name) => writer.mutate((tx) => removeSchedule(tx, name)),
    due: async (nowMs) => readSchedules(parts, { dueMs: nowMs }),
    advance: (name, decided) => writer.mutate((tx) => advanceSchedule(tx, name, decided)),
  };
}
