import type { Operation } from "./operation.ts";

/** An operation as menus show it; its code is loaded when it is called, because every module costs the start of the program. */
export interface OperationEntry {
  /** As the operation says it; a test holds the two together. */
  readonly name: string;
  readonly summary: string;
  /** Its code, loaded when it is called. */
  load(): Promise<Operation>;
}

/** Everything that a user can do, in the order of the menus; one line each. */
// biome-ignore format: one line for each operation
export const OPERATIONS: readonly OperationEntry[] = [
  { name: "jobs.enqueue", summary: "Store a job for a worker to run.", load: async () => (await import("./jobs/enqueue.ts")).enqueueJob },
  { name: "jobs.enqueue-many", summary: "Store many jobs in one go, all or none.", load: async () => (await import("./jobs/enqueue-many.ts")).enqueueManyJobs },
  { name: "jobs.status", summary: "Show where a job stands.", load: async () => (await import("./jobs/status.ts")).jobStatus },
  { name: "jobs.wait", summary: "Wait until jobs have ended.", load: async () => (await import("./jobs/wait.ts")).waitForJobs },
  { name: "jobs.cancel", summary: "Cancel a job that has not finished.", load: async () => (await import("./jobs/cancel.ts")).cancelJob },
  { name: "jobs.retry", summary: "Start a finished job over, as the next run of the same job.", load: async () => (await import("./jobs/retry.ts")).retryJob },
  { name: "jobs.emit", summary: "Send an event to the durable jobs that wait for it.", load: async () => (await import("./jobs/emit.ts")).emitEvent },
  { name: "jobs.logs", summary: "Show the history of a job and its kept output.", load: async () => (await import("./jobs/logs.ts")).jobLogs },
  { name: "jobs.explain", summary: "Say in one sentence why a job is not running.", load: async () => (await import("./jobs/explain.ts")).explainJob },
  { name: "jobs.list", summary: "List jobs, newest first.", load: async () => (await import("./jobs/list.ts")).listJobs },
  { name: "jobs.stats", summary: "Count jobs by type and state.", load: async () => (await import("./jobs/stats.ts")).jobStats },
  { name: "schedules.add", summary: "Add a schedule that makes jobs.", load: async () => (await import("./schedules/add.ts")).addSchedule },
  { name: "schedules.list", summary: "List the schedules.", load: async () => (await import("./schedules/list.ts")).listSchedules },
  { name: "schedules.show", summary: "Show one schedule.", load: async () => (await import("./schedules/show.ts")).showSchedule },
  { name: "schedules.pause", summary: "Pause a schedule; its jobs go on.", load: async () => (await import("./schedules/pause.ts")).pauseSchedule },
  { name: "schedules.resume", summary: "Let a paused schedule go on from now.", load: async () => (await import("./schedules/resume.ts")).resumeSchedule },
  { name: "schedules.trigger", summary: "Make the job of a schedule now; its slots stay as they are.", load: async () => (await import("./schedules/trigger.ts")).triggerSchedule },
  { name: "schedules.delete", summary: "Delete a schedule; the jobs that it made stay.", load: async () => (await import("./schedules/delete.ts")).deleteSchedule },
  { name: "approvals.list", summary: "List the approvals that wait for a person, oldest first.", load: async () => (await import("./approvals/list.ts")).listApprovals },
  { name: "approvals.show", summary: "Show what is to be approved, in full, and what was decided about it.", load: async () => (await import("./approvals/show.ts")).showApproval },
  { name: "approvals.approve", summary: "Approve what was asked, with a signature of your SSH key.", load: async () => (await import("./approvals/approve.ts")).approveApproval },
  { name: "approvals.reject", summary: "Reject what was asked, with a signature of your SSH key.", load: async () => (await import("./approvals/reject.ts")).rejectApproval },
  { name: "approvals.revoke", summary: "Take an approval back that was not used yet, with a signature of your SSH key.", load: async () => (await import("./approvals/revoke.ts")).revokeApproval },
  { name: "approvals.setup", summary: "Make the first approver of the policy of an SSH key that you have.", load: async () => (await import("./approvals/setup.ts")).setUpApprovals },
  { name: "artifacts.list", summary: "List the files that a job kept.", load: async () => (await import("./artifacts/list.ts")).listArtifacts },
  { name: "artifacts.fetch", summary: "Copy the files that a job kept, and verify each SHA-256.", load: async () => (await import("./artifacts/fetch.ts")).fetchArtifacts },
  { name: "artifacts.open", summary: "Tell where the files of a job lie, or show them.", load: async () => (await import("./artifacts/open.ts")).openArtifacts },
  { name: "artifacts.gc", summary: "Remove the kept files of jobs that ended long ago.", load: async () => (await import("./artifacts/gc.ts")).removeOldArtifacts },
  { name: "supervisor.run", summary: "Watch the machines, and repair what can be repaired.", load: async () => (await import("./supervisor/run.ts")).superviseOnce },
  { name: "playwright.install", summary: "Install the browser server on a Windows machine and start it.", load: async () => (await import("./playwright/install.ts")).playwrightInstall },
  { name: "playwright.health", summary: "Connect to the browser server of a machine, as a job would.", load: async () => (await import("./playwright/health.ts")).playwrightHealth },
  { name: "doctor", summary: "Look at everything that this program stands on, and say what to do.", load: async () => (await import("./doctor.ts")).doctor },
  { name: "queue-metrics", summary: "Print the numbers of the queue: depth, age, latency, log, leases, keys.", load: async () => (await import("./queue-metrics.ts")).queueMetrics },
  { name: "db.backup", summary: "Copy the database to a new file; workers go on meanwhile.", load: async () => (await import("./db/backup.ts")).backupDatabase },
  { name: "db.restore", summary: "Put a backup in the place of the database, which is kept beside it.", load: async () => (await import("./db/restore.ts")).restoreDatabase },
  { name: "db.check", summary: "Look for what is wrong with the database, and save what can be read of a damaged one.", load: async () => (await import("./db/check.ts")).checkTheDatabase },
  { name: "db.shell", summary: "Answer SQL about the database; nothing can be changed.", load: async () => (await import("./db/shell.ts")).askDatabase },
  { name: "db.migrate", summary: "Bring the schema of the database to this version's, after a copy.", load: async () => (await import("./db/migrate.ts")).migrateDatabase },
  { name: "policy.check", summary: "Say what the policy answers to a request, and which rule says it.", load: async () => (await import("./policy/check.ts")).checkPolicy },
  { name: "policy.test", summary: "Ask the policy the examples in its file, and fail where it answers otherwise.", load: async () => (await import("./policy/test.ts")).testPolicy },
  { name: "policy.denials", summary: "List what the policy refused, newest first.", load: async () => (await import("./policy/denials.ts")).listDenials },
  { name: "config.show", summary: "Show every setting, secrets masked.", load: async () => (await import("./config/show.ts")).showSettings },
  { name: "init", summary: "Make this folder a project: write .windlass/config.yaml and a policy beside it.", load: async () => (await import("./init.ts")).initProject },
  { name: "version", summary: "Print the version and the commit.", load: async () => (await import("./version.ts")).showVersion },
];
