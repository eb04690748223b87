/** An event to emit. */
export interface EventRequest {
  readonly event: string;
  /** A JSON value. */
  readonly payload: unknown;
  /** The same event and id are stored once, as long as events are kept. */
  readonly eventId?: string;
}

/** What came of an event. */
export interface EmitResult {
  readonly eventId: string;
  /** True when its id was known: nothing was stored. */
  readonly existing: boolean;
  /** Jobs that waited for it and go on; others may find it later. */
  readonly given: number;
}
