# Ends a process and all that it started, also when it is gone itself: Windows keeps the number of a parent that is gone.
# "started" (ticks, UTC) tells the process from a later one with its number.
param($arg)
$since = New-Object DateTime ([long]$arg.started), ([DateTimeKind]::Utc)

function Get-Tree {
  $fields = 'ProcessId', 'ParentProcessId', 'CreationDate'
  $rows = @(Get-CimInstance Win32_Process -Property $fields)
  $root = $rows | Where-Object { $_.ProcessId -eq $arg.pid } | Select-Object -First 1
  $found = @{}
  # The children of a later process with this number are later than it.
  $before = [DateTime]::MaxValue
  if ($root) {
    $born = $root.CreationDate.ToUniversalTime()
    if ([Math]::Abs(($born - $since).TotalSeconds) -lt 3) { $found["$($root.ProcessId)"] = $true } else { $before = $born }
  }
  do {
    $count = $found.Count
    foreach ($row in $rows) {
      if (-not $row.CreationDate -or $row.ProcessId -eq $PID) { continue }
      $born = $row.CreationDate.ToUniversalTime()
      if ($born -lt $since.AddSeconds(-3)) { continue }
      $isChild = $row.ParentProcessId -eq $arg.pid -and $row.ProcessId -ne $arg.pid -and $born -lt $before
      if ($isChild -or $found.ContainsKey("$($row.ParentProcessId)")) { $found["$($row.ProcessId)"] = $true }
    }
  } while ($found.Count -gt $count)
  @($found.Keys)
}

$ended = @{}
for ($turn = 0; $turn -lt 10; $turn++) {
  $ids = @(Get-Tree)
  if ($ids.Count -eq 0) { break }
  foreach ($id in $ids) {
    $ended[$id] = $true
    try { [Diagnostics.Process]::GetProcessById([int]$id).Kill() } catch { }
  }
  [Threading.Thread]::Sleep(50)
}
@{ ended = $ended.Count; left = @(Get-Tree).Count }
