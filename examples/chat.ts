// A conversation that may last for months: it waits for a message, answers, and goes on as its next run. Run it: node examples/chat.ts
import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { defineDurableJob, openWindlass } from "windlass";
import { z } from "zod";

let answered = Promise.withResolvers<void>();

const chat = defineDurableJob({
  name: "app.chat",
  input: z.strictObject({ with: z.string(), heard: z.array(z.string()).default([]) }),
  result: z.string(),
  async run({ with: name, heard }, ctx) {
    // Days may pass here: it is one row, holds no slot, and needs no worker to be there.
    const { text } = await ctx.waitFor("chat.message", { match: { to: name }, schema: z.object({ text: z.string() }) });
    // A model would be called here; its answer is recorded, so it is asked once.
    const answer = await ctx.step("answer", () =>
      text === "bye" ? `goodbye; you said ${heard.length} things` : `${text}? that is number ${heard.length + 1}`,
    );
    await ctx.step("say", () => {
      console.log(`${name} hears: ${answer}`);
      answered.resolve();
    });
    if (text === "bye") return answer;
    // What it should remember is the input of the next run; the record begins anew, so it never grows long.
    return ctx.continueAs({ with: name, heard: [...heard, text] });
  },
});

const db = join(mkdtempSync(join(tmpdir(), "chat-")), "windlass.db");
await using windlass = await openWindlass({ db, jobs: [chat] });
await windlass.startWorker();
const { jobId } = await windlass.submit(chat, { with: "ada" });

// Anybody may speak: another program, or a person at a shell. A message that comes early waits for its turn.
const program = fileURLToPath(new URL("bin.js", import.meta.resolve("windlass")));
for (const text of ["a lamp", "a chair", "bye"]) {
  const payload = JSON.stringify({ to: "ada", text });
  console.log(`$ windlass jobs emit chat.message --input-json '${payload}'`);
  const args = ["--db", db, "jobs", "emit", "chat.message", "--input-json", payload];
  answered = Promise.withResolvers();
  await promisify(execFile)(process.execPath, [program, ...args]);
  await answered.promise;
}

const { state, runNumber } = await windlass.wait(jobId);
console.log(`${state} in run ${runNumber}`);
