// A job from its declaration to its result. Run it: node examples/basic.ts
import { defineJob, openWindlass } from "windlass";
import { z } from "zod";

const greet = defineJob({
  name: "app.greet",
  input: z.strictObject({ name: z.string() }),
  result: z.string(),
  run: ({ name }) => `Hello, ${name}!`,
});

await using windlass = await openWindlass({ jobs: [greet] });
await windlass.startWorker();
console.log(await windlass.runAndWait(greet, { name: "world" }));
