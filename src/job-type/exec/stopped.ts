import { stopErrors } from "../stop-errors.ts";

/** How an attempt of `exec` ends that was stopped. */
export const { stoppedError, throwIfStopped } = stopErrors({
  cancelled: "the job was cancelled while its program ran",
  timeout: "the program ran longer than the job's timeout and was ended",
  stopping: "the worker stops; the program goes on and waits for the next worker",
  lease_lost: "another worker has the job and looks after its program",
});
