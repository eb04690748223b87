import type { OperationEntry } from "../operations/registry.ts";
import type { CommandEntry } from "./command.ts";
import type { Overlay } from "./operation-command.ts";

/** The menu entry of an operation: its name with a space is the command. What makes the command is loaded when it is called. */
export function operationEntry(operation: OperationEntry, loadOverlay?: () => Promise<Overlay>): CommandEntry {
  return {
    name: operation.name.replace(".", " "),
    summary: operation.summary,
    async load() {
      const [{ commandOf }, loaded, overlay] = await Promise.all([
        import("./operation-command.ts"),
        operation.load(),
        loadOverlay?.(),
      ]);
      return commandOf(loaded, overlay);
    },
  };
}
