/** What every PowerShell is started with; the text comes last. */
const OPTIONS = ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand"] as const;

/**
 * A PowerShell that runs a text, as words. The alphabet of the last word is safe in cmd and in PowerShell.
 *
 * @see https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_pwsh#-encodedcommand
 */
export function encodedCommand(text: string): readonly string[] {
  return ["powershell", ...OPTIONS, Buffer.from(text, "utf16le").toString("base64")];
}
