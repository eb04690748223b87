/** The shell that runs {@link PARENT_SCRIPT}. POSIX says `sh`; every system that we know has it here, NixOS too. */
export const SHELL = "/bin/sh";

/**
 * The program's parent: a constant text, so that nothing of a job is ever read as shell. Its arguments are the nonce, by
 * which it is known again, and then the program's argv. Its descriptors: 0 and 1 are the program's own, 2 is the record
 * (also for the shell's own words), 3 is the gate, 4 is the program's stderr. Line by line:
 *
 * - TERM, INT and HUP to the group end the program but not its parent; a trap, unlike an ignored signal, is reset in the
 *   program itself.
 * - Nothing runs before a whole line came through the gate. Its end means that the worker died: do not run. A TERM that
 *   came before the program was there to hear it means the same.
 * - `run` separates what the shell said while it started (a bad LD_PRELOAD) from what it says of the program's end.
 * - A shell exports these three on its own; the program gets the environment that was asked for and no more.
 * - A subshell and `exec`, in the foreground: in the background a shell makes its child ignore INT and QUIT, and without
 *   the subshell dash writes its "Terminated" into the program's stderr.
 * - The record comes before the TERM to what the program left behind in its group, and before the parent's own end.
 *
 * dash and busybox write a line such as "Terminated" to descriptor 2 when a signal ended the program: that is how
 * `exit 143` and a TERM are told apart ({@link parseExitRecord}).
 */
export const PARENT_SCRIPT = `trap _windlass_stop=1 TERM INT HUP
shift
read -r _windlass_go <&3 && test -z "$_windlass_stop" || { echo not-run >&2; exit 0; }
exec 3<&-
echo run >&2
unset PWD OLDPWD SHLVL
( exec "$@" 2>&4 4>&- )
_windlass_status=$?
echo "$_windlass_status" >&2
kill -s TERM 0
exit "$_windlass_status"`;

/** What the worker writes into the gate. */
export const GO = "go\n";
