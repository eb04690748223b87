/**
 * The order in which due jobs of a queue are claimed; the lowest first. One step of priority is worth `ageMs` of waiting,
 * so a low job that has waited longer than that goes before a fresh normal one, and nothing starves. Fixed at enqueue.
 */
export function rankOf(dueMs: number, priority: 1 | 2 | 3, ageMs: number): number {
  return dueMs - (priority - 2) * ageMs;
}
