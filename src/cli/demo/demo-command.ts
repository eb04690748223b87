import type { Command } from "../command.ts";
import { runDemo } from "./demo.ts";

/** `windlass demo`. */
export const demoCommand: Command = {
  name: "demo",
  summary: "Run real jobs, kill their worker in the middle, and check what came of it.",
  description:
    "Works in a fresh folder below the system's temporary one and leaves it there as evidence. Exits with 1 when a check fails.",
  flags: [],
  words: [],
  run: ({ terminal }) => runDemo({ out: process.stdout, colour: terminal.hasColour }),
};
