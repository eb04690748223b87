import { stopErrors } from "../stop-errors.ts";

/** How an attempt of `aloha.run` ends that was stopped. */
export const { stoppedError, throwIfStopped } = stopErrors({
  cancelled: "the job was cancelled and Aloha was told to stop",
  timeout: "Aloha ran longer than the job's timeout and was told to stop",
  stopping: "the worker stops; Aloha goes on and waits for the next worker",
  lease_lost: "another worker has the job and looks after the run",
});
