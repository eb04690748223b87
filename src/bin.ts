#!/usr/bin/env node
// No static import: what an older Node cannot read must not be loaded before its version is known.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 15)) {
  process.stderr.write(`windlass needs Node.js 24.15 or newer; this is ${process.version} (${process.execPath}).\n`);
  process.exitCode = 2;
} else {
  const { keepCompiledCode } = await import("./cli/compile-cache.ts");
  keepCompiledCode(process.env);
  const { main } = await import("./cli/main.ts");
  const status = await main(process.argv.slice(2));
  // What failed beside the command, such as its output, counts too.
  process.exitCode ||= status;
  // Everything is closed and written. A handler that does not listen to its signal may still hold the event loop.
  setTimeout(() => process.exit(), 1_000).unref();
}
