import { AppError, type ErrorRecord, isAppError, toErrorRecord } from "../../error.ts";
import { concurrentCall } from "../../job/durable/decide-call.ts";
import { readOutcome } from "../../job/durable/outcome.ts";
import { type Call, type CallOutcome, describeCall } from "../../job/durable/record.ts";
import type { HandlerEnd } from "../settle.ts";
import { OpenCalls } from "./open-calls.ts";
import { Passage } from "./passage.ts";
import type { PlacedCall, Suspendable, Suspension } from "./services.ts";
import { type Act, type Acted, type Edge, never, type PeopleCall, type Turn, thrown } from "./turn.ts";

/**
 * The running code of a durable job: gives each call its position, answers it from the record or lets it be made, and ends
 * the turn when the code ends, waits or may not go on. The same coroutine goes on in a later attempt when it was parked.
 *
 * A call of code that may not go on never settles: a thrown error would be swallowed by a user's `catch`.
 */
export class Coroutine implements Suspendable {
  readonly #controller = new AbortController();
  readonly #open = new OpenCalls();
  #edge: Edge | undefined;
  #turn: PromiseWithResolvers<Turn> | undefined;
  #passage = new Passage([]);
  #group: "none" | "collecting" | "waiting" = "none";
  #dead = false;
  #failure: AppError | undefined;
  #unverified: ErrorRecord | undefined;

  /** Fires when the code should stop or does not go on. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get alive(): boolean {
    return !this.#dead;
  }

  /** True while recorded calls are passed again. */
  get replays(): boolean {
    return this.#passage.replays;
  }

  /** Of the attempt that carries it. A parked one is asked by code that goes on beside its wait, and says the last. */
  get edge(): Edge {
    if (this.#edge === undefined) throw new AppError("INTERNAL", "a coroutine is used before it begins");
    return this.#edge;
  }

  /** Runs the code from the top. */
  begin(edge: Edge, body: () => unknown): Promise<Turn> {
    this.#passage = new Passage(edge.durable.records(1));
    const turn = this.#attach(edge);
    Promise.resolve()
      .then(body)
      .then(
        (value) => this.#bodyEnded({ kind: "value", value }),
        (error: unknown) => this.#bodyEnded({ kind: "thrown", error }),
      );
    return turn;
  }

  /**
   * Lets parked code go on with what its open calls came to.
   *
   * @returns `undefined` when the record is not what this code knows: then it must run from the top.
   */
  resume(edge: Edge): Promise<Turn> | undefined {
    if (this.#failure !== undefined) return Promise.resolve(thrown(this.#failure));
    if (this.#dead || this.#open.size === 0) return undefined;
    const records = edge.durable.records(this.#open.first);
    const known = records.at(-1)?.position === this.#passage.next - 1;
    if (!known || !(this.#open.areAnsweredBy(records) || this.#open.asksPeople)) return undefined;
    const turn = this.#attach(edge);
    this.#open.answerFrom(records);
    this.#askPeopleAgain();
    return turn;
  }

  /** Its code does not go on: no call of it settles any more. */
  evict(): void {
    this.#dead = true;
    if (!this.signal.aborted) this.#controller.abort("suspended");
  }

  /**
   * Makes a durable call, or answers it. What it resolves with is the same live and replayed.
   *
   * @param people of a call that they answer.
   */
  perform(call: Call, act: Act, people?: PeopleCall): Promise<CallOutcome> {
    if (this.#dead) return never();
    if (this.#group === "waiting" || (this.#group === "none" && this.#open.size > 0))
      return this.#fail(concurrentCall(describeCall(call), this.#open.describe()));
    if (this.edge.control.reason !== undefined) return this.#stop();
    const { position, decision } = this.#passage.pass(call, this.edge.durable.positionsMax);
    if (decision.kind === "fail") return this.#fail(decision.error);
    if (decision.kind === "older") return Promise.resolve({ kind: "ok", value: 0 });
    if (decision.kind === "answer" && people === undefined) return Promise.resolve(decision.outcome);
    const placed = { ...call, position };
    const waits = decision.kind === "pending" && people === undefined;
    const answered = this.#open.open(placed, waits, people);
    if (decision.kind === "answer") this.#answer(position, decision.outcome);
    else if (waits) this.#suspendIfIdle();
    else this.#issue(placed, act);
    return answered;
  }

  /**
   * Makes the calls of several thunks, each of which makes exactly one, and lets none follow until all have settled.
   *
   * @returns what each thunk returned, in their order; `undefined` for one that made no durable call.
   */
  collect(thunks: readonly (() => Promise<unknown>)[]): readonly (Promise<unknown> | undefined)[] {
    if (this.#dead) return [never()];
    if (this.#group !== "none" || this.#open.size > 0)
      return [this.#fail(concurrentCall("all", this.#open.describe()))];
    this.#group = "collecting";
    const made = thunks.map((thunk) => this.#collectOne(thunk));
    if (!this.#dead) this.#group = "waiting";
    this.#suspendIfIdle();
    return made;
  }

  /** All calls of a group have settled. */
  endGroup(): void {
    this.#group = "none";
  }

  #collectOne(thunk: () => Promise<unknown>): Promise<unknown> | undefined {
    const before = this.#passage.next;
    let made: Promise<unknown>;
    try {
      made = Promise.resolve(thunk());
    } catch (error) {
      made = Promise.reject(error);
    }
    // The group waits for it in any case; what else somebody does with it is their own promise.
    made.catch(() => undefined);
    const positions = this.#passage.next - before;
    if (positions > 1)
      return this.#fail(concurrentCall("a second call of one member of all", describeCall(this.#callAt(before))));
    return positions === 0 && !this.#dead ? undefined : made;
  }

  #callAt(position: number): Call {
    return this.#open.callAt(position) ?? this.#passage.recordedAt(position) ?? { kind: "step", name: "", digest: "" };
  }

  #attach(edge: Edge): Promise<Turn> {
    this.#edge = edge;
    this.#turn = Promise.withResolvers<Turn>();
    const { signal } = edge.control;
    const forward = (): void => {
      if (this.#edge === edge) this.#controller.abort(signal.reason);
    };
    if (signal.aborted) forward();
    else signal.addEventListener("abort", forward, { once: true });
    return this.#turn.promise;
  }

  #issue(call: PlacedCall, act: Act): void {
    const turn = this.#turn;
    act(call, this.#group === "none" ? this : undefined).then(
      (acted) => this.#acted(call.position, acted, turn),
      (error: unknown) => this.#threw(call.position, error, turn),
    );
  }

  #acted(position: number, acted: Acted, turn: PromiseWithResolvers<Turn> | undefined): void {
    // Another attempt may have woken it by now; this one's turn is over all the same.
    if (acted.kind === "open" && acted.suspended) {
      this.#open.waits(position);
      turn?.resolve({ kind: "suspended" });
    } else if (!this.#dead) this.#goOn(position, acted, turn);
  }

  #goOn(position: number, acted: Acted, turn: PromiseWithResolvers<Turn> | undefined): void {
    switch (acted.kind) {
      case "settled":
        if (this.edge.control.reason !== undefined) this.#stopWhenIdle(position);
        else this.#answer(position, readOutcome(acted.outcome));
        return;
      case "open":
        this.#open.waits(position);
        this.#suspendIfIdle();
        return;
      case "cancelled":
        this.edge.control.stop("cancelled");
        void this.#stop();
        return;
      case "stopped":
        this.#stopWhenIdle(position);
        return;
      case "continued":
        this.#endTurn(acted, turn);
    }
  }

  #answer(position: number, outcome: CallOutcome): void {
    const confirm = this.#open.confirmAt(position);
    const turn = this.#turn;
    const answer = (error?: AppError): void => {
      if (error !== undefined) void this.#fail(error);
      if (this.#dead) return;
      this.#open.answer(position, outcome);
      this.#suspendIfIdle();
    };
    if (confirm === undefined) answer();
    else confirm(outcome).then(answer, (error: unknown) => this.#threw(position, error, turn));
  }

  /** What people signed and cannot be verified here is no error of the run: it ends its turn when nothing is being made any more. */
  #threw(position: number, error: unknown, turn: PromiseWithResolvers<Turn> | undefined): void {
    if (isAppError(error) && error.code === "APPROVAL_UNVERIFIED") {
      this.#unverified = toErrorRecord(error);
      this.#open.drop(position);
      this.#suspendIfIdle();
    } else this.#endTurn(thrown(error), turn);
  }

  /** Who waits for people is woken by them, or by what else it waits for: then their decisions are looked at again. */
  #askPeopleAgain(): void {
    for (const { call, act } of this.#open.takePeople()) this.#issue(call, act);
  }

  /** When every open call waits for something outside, the slot is given back. */
  #suspendIfIdle(): void {
    if (this.#dead || this.#group === "collecting" || !this.#open.allWait) return;
    const turn = this.#turn;
    if (this.#unverified !== undefined) this.#endTurn({ kind: "put-off", error: this.#unverified }, turn);
    if (this.#dead || this.#open.size === 0) return;
    this.edge.durable.suspend(this).then(
      (suspension) => this.#suspended(suspension, turn),
      (error: unknown) => this.#endTurn(thrown(error), turn),
    );
  }

  #suspended(suspension: Suspension, turn: PromiseWithResolvers<Turn> | undefined): void {
    if (suspension.kind === "suspended") turn?.resolve({ kind: "suspended" });
    else if (this.#dead) return;
    else if (suspension.kind === "cancelled") {
      this.edge.control.stop("cancelled");
      void this.#stop();
    } else {
      this.#open.answerFrom(this.edge.durable.records(this.#open.first));
      this.#askPeopleAgain();
    }
  }

  #bodyEnded(end: HandlerEnd): void {
    if (this.#dead) return;
    if (this.#open.size > 0) return void this.#fail(concurrentCall("the end of the job", this.#open.describe()));
    const early = this.#passage.end();
    if (early !== undefined) return void this.#fail(early);
    // It has ended by itself: nobody need be told to stop.
    this.#dead = true;
    this.#turn?.resolve({ kind: "ended", end });
  }

  /** The run ends with an error past the user's code. */
  #fail(error: AppError): Promise<never> {
    this.#failure ??= error;
    this.#endTurn(thrown(error), this.#turn);
    return never();
  }

  /** The attempt is being stopped: for whatever reason, its code makes no further call. */
  #stop(): Promise<never> {
    this.#endTurn(thrown(this.edge.control.reason), this.#turn);
    return never();
  }

  #stopWhenIdle(position: number): void {
    this.#open.drop(position);
    if (this.#open.allWait) void this.#stop();
  }

  #endTurn(ended: Turn, turn: PromiseWithResolvers<Turn> | undefined): void {
    this.evict();
    turn?.resolve(ended);
  }
}
