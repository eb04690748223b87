import { expect, test } from "vitest";
import { type AlohaFacts, type AlohaPart, judgeAloha } from "./judge-aloha.ts";

const part: AlohaPart = {
  ...{ what: "Aloha's client", url: "http://127.0.0.1:7888", setting: "aloha.client_url", port: 7_888 },
  ...{ proof: "GET /run_task with 405", start: "start it", isListening: true, firewall: undefined },
};
const judged = (value: AlohaFacts, changes: Partial<AlohaPart> = {}) =>
  judgeAloha({ kind: "said", value }, { ...part, ...changes });
const refused: AlohaFacts = { kind: "unreachable", reason: "ECONNREFUSED" };

test("one that answers as Aloha does is ok", () => {
  expect(judged({ kind: "alive" })).toEqual({
    state: "ok",
    detail: "http://127.0.0.1:7888 answers GET /run_task with 405",
    facts: { url: "http://127.0.0.1:7888" },
    remedy: null,
  });
});

test("what is not Aloha is a failure", () => {
  expect(judged({ kind: "foreign", reason: "it answers 200" })).toMatchObject({
    state: "fail",
    remedy: expect.stringContaining("correct aloha.client_url"),
  });
});

test.each([
  [false, undefined, "nobody listens on port 7888 of the machine: start it"],
  [true, undefined, "it listens on the machine: look at aloha.client_url and the forward of its port"],
  [true, "New-NetFirewallRule X", "and let it in with `New-NetFirewallRule X`"],
  [undefined, undefined, "look whether Aloha's client runs (start it), and at aloha.client_url"],
])(
  "where it is not reached, what the machine says (listens: %s, rule: %s) decides what to do",
  (isListening, firewall, remedy) => {
    const finding = judged(refused, { isListening, firewall });
    expect(finding).toMatchObject({ state: "unreachable", detail: "http://127.0.0.1:7888: ECONNREFUSED" });
    expect(finding.remedy).toContain(remedy);
  },
);

test("one that is silent hangs, or the way to it does", () => {
  expect(judged({ kind: "silent", reason: "no answer within 1000 ms" })).toMatchObject({
    state: "unreachable",
    remedy: expect.stringMatching(/^it hangs, or a forward leads nowhere: it listens on the machine/),
  });
});

test("time that ran out is unreachable too", () => {
  const error = { code: "TIMEOUT", message: "late" };
  expect(judgeAloha({ kind: "failed", error }, part)).toMatchObject({ state: "unreachable", detail: "TIMEOUT: late" });
});
