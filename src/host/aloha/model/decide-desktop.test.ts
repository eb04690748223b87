import { expect, test } from "vitest";
import { decideDesktop } from "./decide-desktop.ts";

const session = (is_connected: boolean | null, is_locked: boolean) => ({ is_connected, is_locked });

test.each([
  ["nobody is logged on", [], "absent"],
  ["the only session is disconnected", [session(false, false)], "absent"],
  ["a session is locked", [session(true, true)], "locked"],
  ["a session is open", [session(true, false)], "unlocked"],
  ["another session is locked", [session(true, false), session(true, true)], "unlocked"],
  ["the open one is disconnected", [session(false, false), session(true, true)], "locked"],
  ["whether it is connected cannot be told", [session(null, false)], "unlocked"],
])("%s: %#", (_name, sessions, kind) => {
  expect(decideDesktop(sessions)).toEqual({ kind });
});
