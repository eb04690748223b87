import type { Check } from "./check.ts";
import { approvals } from "./checks/approvals.ts";
import { clock } from "./checks/clock.ts";
import { configuration } from "./checks/configuration.ts";
import { database, log, quickCheck, schema } from "./checks/database.ts";
import { artifactFolder, artifactSpace, databaseSpace, diskSync } from "./checks/disk.ts";
import { jobBackend } from "./checks/job-backend.ts";
import { permissions } from "./checks/permissions.ts";
import { policy } from "./checks/policy.ts";
import { node, sqlite } from "./checks/runtime.ts";
import { waitingJobs } from "./checks/waiting.ts";
import { leases, unservedJobs, workers } from "./checks/workers.ts";

/** Every check of this machine, in the order in which it is printed; those of other machines follow. */
export const CHECKS: readonly Check[] = [
  { name: "node", needs: "nothing", look: node },
  { name: "sqlite", needs: "nothing", look: sqlite },
  { name: "config", needs: "nothing", look: configuration },
  { name: "policy", needs: "nothing", look: policy },
  { name: "approvals", needs: "nothing", look: approvals },
  { name: "database", needs: "nothing", look: database },
  { name: "schema", needs: "file", look: schema },
  { name: "quick_check", needs: "file", look: quickCheck },
  { name: "wal", needs: "file", look: log },
  { name: "workers", needs: "records", look: workers },
  { name: "leases", needs: "records", look: leases },
  { name: "unserved_jobs", needs: "records", look: unservedJobs },
  { name: "waiting_jobs", needs: "records", look: waitingJobs },
  { name: "clock", needs: "nothing", look: clock },
  { name: "permissions", needs: "nothing", look: permissions },
  { name: "disk_database", needs: "nothing", look: databaseSpace },
  { name: "disk_sync", needs: "nothing", look: diskSync },
  { name: "artifacts", needs: "nothing", look: artifactFolder },
  { name: "disk_artifacts", needs: "nothing", look: artifactSpace },
  { name: "job_backend", needs: "network", look: jobBackend },
];
