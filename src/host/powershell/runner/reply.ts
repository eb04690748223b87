import { LineSplitter } from "../model/line-splitter.ts";
import type { OutputPump, Sink } from "./output-pump.ts";

/** What became of waiting for the runner's line on both streams. */
export type Reply<T> =
  | { readonly kind: "line"; readonly line: T; readonly hasRest: boolean }
  /** The streams ended without it. */
  | { readonly kind: "closed" };

/** Where the bytes of a command go. */
export interface Sinks {
  readonly stdout: Sink;
  readonly stderr: Sink;
}

/** Both output streams of a runner. */
export interface Pumps {
  readonly stdout: OutputPump;
  readonly stderr: OutputPump;
}

/** What a runner prints, and how its line is known. */
export interface Awaited<T> {
  readonly nonce: string;
  readonly parse: (text: string) => T | undefined;
}

/**
 * Passes the bytes of both streams on until the runner's line came on each of them, or they are at their end. When a sink
 * throws, the bytes go nowhere from then on and `onBroken` hears of it once.
 */
export async function awaitLine<T>(
  pumps: Pumps,
  { nonce, parse }: Awaited<T>,
  sinks: Sinks,
  onBroken: (error: unknown) => void = () => {},
): Promise<Reply<T>> {
  let isBroken = false;
  const guarded =
    (sink: Sink): Sink =>
    async (chunk) => {
      try {
        if (!isBroken) await sink(chunk);
      } catch (error) {
        isBroken = true;
        onBroken(error);
      }
    };
  const [first, second] = await Promise.all([
    awaitOn(pumps.stdout, new LineSplitter(nonce, parse), guarded(sinks.stdout)),
    awaitOn(pumps.stderr, new LineSplitter(nonce, parse), guarded(sinks.stderr)),
  ]);
  if (first === undefined || second === undefined) return { kind: "closed" };
  return { kind: "line", line: first.line, hasRest: first.hasRest || second.hasRest };
}

interface Found<T> {
  readonly line: T;
  readonly hasRest: boolean;
}

function awaitOn<T>(pump: OutputPump, splitter: LineSplitter<T>, sink: Sink): Promise<Found<T> | undefined> {
  return new Promise((resolve) => {
    let isOver = false;
    const conclude = (found: Found<T> | undefined): void => {
      isOver = true;
      pump.sink = undefined;
      resolve(found);
    };
    pump.sink = async (chunk) => {
      const { output, found, rest } = splitter.push(chunk);
      for (const bytes of output) await sink(bytes);
      if (found !== undefined) conclude({ line: found, hasRest: rest !== undefined && rest.length > 0 });
    };
    void pump.ended.then(async () => {
      // By then the stream may be another request's.
      if (isOver) return;
      const held = splitter.end();
      if (held.length > 0) await sink(held);
      conclude(undefined);
    });
  });
}
