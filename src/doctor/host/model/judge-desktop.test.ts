import { expect, test } from "vitest";
import { judgeDesktop } from "./judge-desktop.ts";

const session = (id: number, is_locked: boolean, is_connected: boolean | null = true) => ({
  ...{ id, user: "ann", is_locked, is_connected },
});
const judged = (sessions: readonly ReturnType<typeof session>[], hasAloha = true) =>
  judgeDesktop({ kind: "said", value: sessions }, hasAloha);

test.each([
  ["unlocked", [session(1, false)], "ok", "session 1 of ann is active and not locked", null],
  ["unlocked", [session(1, true, false), session(2, false)], "ok", "session 2 of ann is active and not locked", null],
  ["locked", [session(1, true)], "fail", "the desktop is locked: session 1 of ann", "unlock it"],
  ["disconnected", [session(3, false, false)], "fail", "session 3 of ann is disconnected", "`tscon 3 /dest:console`"],
  ["none", [], "fail", "nobody is logged on at the desktop", "automatic logon"],
] as const)("%s: %j is %s where Aloha needs it", (desktop, sessions, state, detail, remedy) => {
  const finding = judged(sessions);
  expect(finding).toMatchObject({ state, facts: { desktop, sessions: sessions.length } });
  expect(finding.detail).toContain(detail);
  expect(finding.remedy ?? "").toContain(remedy ?? "");
});

test("without Aloha it is only told", () => {
  expect(judged([], false)).toMatchObject({
    state: "ok",
    detail: "nobody is logged on at the desktop, and nothing that is configured needs it",
    facts: { desktop: "none" },
    remedy: null,
  });
});
