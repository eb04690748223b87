/** The desktop that Aloha acts on. Aloha sees and reaches only a session that is connected and not locked. */
export type DesktopState =
  | { readonly kind: "unlocked" }
  | { readonly kind: "locked" }
  /** Nobody is logged on, or every session is disconnected, which leaves its programs alive and its picture black. */
  | { readonly kind: "absent" };

/** A session with a desktop, as the machine tells it. */
export interface DesktopSession {
  /** Null where it cannot be told. */
  readonly is_connected: boolean | null;
  readonly is_locked: boolean;
}

/** Judges each session for itself: the lock screen of another one says nothing about this one. */
export function decideDesktop(sessions: readonly DesktopSession[]): DesktopState {
  const connected = sessions.filter(({ is_connected }) => is_connected !== false);
  if (connected.length === 0) return { kind: "absent" };
  return connected.some(({ is_locked }) => !is_locked) ? { kind: "unlocked" } : { kind: "locked" };
}
