import { readApproveOptions } from "../../job/durable/approve-options.ts";
import { answerApprove, readApproveOutcome } from "../../job/durable/approve-outcome.ts";
import type { DurableContext } from "../../job/durable/context.ts";
import { digestOf } from "../../job/durable/digest.ts";
import type { Call } from "../../job/durable/record.ts";
import type { Redactor } from "../../redact.ts";
import { maskTexts } from "../mask-texts.ts";
import { answerOf } from "./answer-of.ts";
import type { Coroutine } from "./coroutine.ts";
import type { Act, PeopleCall } from "./turn.ts";

/** The call that asks people. */
export function approveCall(coroutine: Coroutine, redactor: Redactor | undefined): Pick<DurableContext, "approve"> {
  return {
    approve: async (options) => {
      const { title, details, ...read } = readApproveOptions(options);
      // People and their terminals must not see a secret either.
      const shown = maskTexts({ title, details }, redactor);
      const request = { ...read, ...shown };
      const call: Call = { kind: "approve", name: shown.title, digest: digestOf({ ...read, details: shown.details }) };
      const act: Act = (placed, suspend) => coroutine.edge.durable.approve(placed, request, suspend);
      const people: PeopleCall = {
        act,
        confirm: (placed, outcome) => coroutine.edge.durable.confirm(placed, request, outcome),
      };
      const value = await answerOf(coroutine.perform(call, act, people));
      const outcome = readApproveOutcome({ kind: "ok", value });
      // Its shape was looked at before it was answered.
      if (outcome === undefined) throw new TypeError(`approve ${JSON.stringify(title)} has no answer`);
      return answerApprove(request, outcome);
    },
  };
}
