# The sessions with a desktop. Locked is judged for each: another session's lock screen says nothing about this one. Whether one
# is connected comes from "qwinsta": a disconnected one has no name there, in every language of Windows.
param($arg)
$fields = 'ProcessId', 'Name', 'SessionId'
$filter = "Name='explorer.exe' OR Name='LogonUI.exe'"
$processes = @(Get-CimInstance Win32_Process -Property $fields -Filter $filter)
$locked = @($processes | Where-Object { $_.Name -eq 'LogonUI.exe' } | ForEach-Object { [int]$_.SessionId })
$names = @{}
$isKnown = $true
try {
  foreach ($line in @(qwinsta.exe)) {
    # A mark, the name, the user (may be missing), the number.
    if ("$line" -match '^[ >](\S*)\s+(?:(\S.*?)\s+)?(\d+)\s+\S') { $names[[int]$Matches[3]] = $Matches[1] }
  }
} catch { $isKnown = $false }
$sessions = @{}
foreach ($shell in $processes) {
  if ($shell.Name -ne 'explorer.exe') { continue }
  $id = [int]$shell.SessionId
  if ($sessions.ContainsKey($id)) { continue }
  $owner = Invoke-CimMethod -InputObject $shell -MethodName GetOwner
  $isConnected = $null
  if ($isKnown) { $isConnected = [bool]$names[$id] }
  $sessions[$id] = @{ id = $id; user = [string]$owner.User; is_connected = $isConnected; is_locked = $locked -contains $id }
}
@{ sessions = @($sessions.Values) }
