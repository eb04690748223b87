import { existsSync } from "node:fs";
import { dirname, relative, sep } from "node:path";
import { digestFile, regularFiles } from "../artifact/attempt-folder.ts";
import { type ManifestFile, mediaType } from "../artifact/manifest.ts";
import { manifestText } from "../artifact/manifest-file.ts";
import type { EffectContext, Handlers } from "../attempt/handlers.ts";
import { type Clock, withDeadline } from "../clock.ts";
import { MACHINE_FOLDER } from "../host/model/on-machine.ts";
import type { SshConnection } from "../host/ssh/connection.ts";
import type { BindParts } from "./bind-parts.ts";

/** Where copies lie on the machine, below a folder for each job. */
const REMOTE_ROOT = `${MACHINE_FOLDER}/artifacts`;
/** A copy is a convenience: it may take this long and then it is left. */
const LIMIT_MS = 60_000;

/** What acts on a machine of its input. */
type OnHost = (input: { readonly host: string }, ctx: EffectContext) => Promise<unknown>;

/**
 * With `artifacts.mirror`, copies what an attempt kept to the machine that it acted on, however it ended. The files here
 * are the truth: a copy that fails is logged and changes nothing.
 */
export function mirrored(handlers: Handlers, { config, clock, machines }: BindParts): Handlers {
  if (!config.artifacts.mirror) return handlers;
  const run = handlers.run as OnHost;
  return {
    ...handlers,
    run: async (input: { readonly host: string }, ctx: EffectContext) => {
      try {
        return await run(input, ctx);
      } finally {
        const connection = machines.connection(machines.find(input.host));
        await copy({ ctx, connection, clock }).catch((error: unknown) =>
          ctx.log.warn("the kept files were not copied to the machine", { err: error }),
        );
      }
    },
  };
}

interface Copying {
  readonly ctx: EffectContext;
  readonly connection: Pick<SshConnection, "upload" | "makeFolder">;
  readonly clock: Clock;
}

async function copy({ ctx, connection, clock }: Copying): Promise<void> {
  const { folder, jobId, traceId, outsideTimeout } = ctx;
  if (!existsSync(folder)) return;
  const atMs = clock.now();
  const root = `${REMOTE_ROOT}/${jobId}`;
  const copyAll = async (signal: AbortSignal): Promise<void> => {
    const files: ManifestFile[] = [];
    for (const absolute of regularFiles(folder)) {
      const path = relative(folder, absolute).split(sep).join("/");
      await connection.makeFolder(dirname(`${root}/${path}`), { signal });
      await connection.upload(absolute, `${root}/${path}`, { signal });
      files.push({ type: mediaType(path), path, ...(await digestFile(absolute)) });
    }
    if (files.length === 0) return;
    const manifest = Buffer.from(manifestText({ jobId, traceId, atMs, files }));
    await connection.upload(manifest, `${root}/manifest.json`, { signal });
    ctx.log.info("the kept files were copied to the machine", { files: files.length, folder: root });
  };
  const limits = { clock, timeoutMs: LIMIT_MS, signal: ctx.signal };
  await outsideTimeout(LIMIT_MS, () => withDeadline(limits, copyAll));
}
