/** Durable calls that one run may make: reading the record again takes about a hundred milliseconds then. */
export const POSITIONS_MAX = 10_000;
