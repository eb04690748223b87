import type { Issued } from "../../../attempt/durable/services.ts";
import { AppError } from "../../../error.ts";
import { asksNothing } from "../accepting/accept.ts";
import type { NewChild } from "../durable/start-child.ts";
import { startChildren } from "../durable/start-children.ts";
import type { WorkerParts } from "./worker-parts.ts";

/** So many children are made by one operation, or until their inputs have so many characters: other writers wait meanwhile. */
const CHILDREN_MAX = 500;
const CHARACTERS_MAX = 2 ** 20;

interface Member {
  readonly child: NewChild;
  readonly issued: PromiseWithResolvers<Issued>;
}

/** Makes one child by itself. It may have been made before. */
type MakeOne = (child: NewChild) => Promise<Issued>;

/**
 * Children that the calls of one `ctx.all` make at the same moment: stored by one operation where nothing about them has to be
 * looked up. Whatever goes wrong with it leaves nothing behind, and then they are made one by one, each with its own answer.
 */
export class ChildGroup {
  readonly #parts: WorkerParts;
  readonly #isOver: () => boolean;
  readonly #makeOne: MakeOne;
  #members: Member[] = [];

  /** @param isOver true when the attempt has ended: nothing of it is stored any more. */
  constructor(parts: WorkerParts, isOver: () => boolean, makeOne: MakeOne) {
    this.#parts = parts;
    this.#isOver = isOver;
    this.#makeOne = makeOne;
  }

  add(child: NewChild): Promise<Issued> {
    if (!child.awaited || !asksNothing(child.acceptance)) return this.#makeOne(child);
    const issued = Promise.withResolvers<Issued>();
    // Behind the other calls of the group, which have come as far as this one.
    if (this.#members.length === 0) queueMicrotask(() => this.#makeAll());
    this.#members.push({ child, issued });
    return issued.promise;
  }

  #makeAll(): void {
    const members = this.#members;
    this.#members = [];
    for (let from = 0; from < members.length; ) {
      const to = endOfShare(members, from);
      void this.#makeShare(members.slice(from, to));
      from = to;
    }
  }

  async #makeShare(members: readonly Member[]): Promise<void> {
    const { writer } = this.#parts;
    try {
      await writer.mutate(
        (tx) => {
          if (this.#isOver()) throw new AppError("LEASE_LOST", "this attempt has ended");
          startChildren(
            tx,
            this.#parts,
            members.map(({ child }) => child),
          );
        },
        { bytes: charactersOf(members) },
      );
      for (const { issued } of members) issued.resolve({ kind: "open", suspended: false });
    } catch {
      for (const { child, issued } of members) this.#makeOne(child).then(issued.resolve, issued.reject);
    }
  }
}

/** Up to the first that does not follow the one before it, or is of another type. */
function endOfShare(members: readonly Member[], from: number): number {
  let characters = 0;
  for (let at = from; at < members.length; at++) {
    const call = members[at]?.child.call;
    const first = members[from]?.child.call;
    if (at - from >= CHILDREN_MAX || characters > CHARACTERS_MAX) return at;
    if (call?.name !== first?.name || call?.position !== (first?.position ?? 0) + at - from) return at;
    characters += members[at]?.child.acceptance.spec.inputJson.length ?? 0;
  }
  return members.length;
}

function charactersOf(members: readonly Member[]): number {
  return members.reduce((sum, { child }) => sum + child.acceptance.spec.inputJson.length, 0);
}
