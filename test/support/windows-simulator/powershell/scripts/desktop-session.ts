import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ machine }) => ({
  sessions: machine.sessions
    .filter(({ interactive }) => interactive)
    .map(({ id, user, state, locked }) => ({ id, user, is_connected: state === "Active", is_locked: locked })),
});
