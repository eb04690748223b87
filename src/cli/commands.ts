import { OPERATIONS } from "../operations/registry.ts";
import type { CommandEntry } from "./command.ts";
import { operationEntry } from "./entry.ts";

/** Every command, in the order of the menu. */
export const COMMANDS: readonly CommandEntry[] = OPERATIONS.map((entry) => operationEntry(entry));
