import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ machine }) => ({
  utc_ms: Date.now() + machine.settings.clockAheadMs,
  time_zone: "W. Europe Standard Time",
});
