import { listeningPorts } from "../../listening.ts";
import type { RunScript } from "../run-script.ts";

export const run: RunScript = ({ machine }, { port }) => {
  const found = listeningPorts(machine).filter((listener) => listener.port === port);
  const listeners = found.map(({ address, pid, image }) => ({ address, pid, name: image, path: "" }));
  return { is_listening: listeners.length > 0, listeners };
};
