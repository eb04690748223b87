# Starts a task and waits a little, until the scheduler has begun with it or says why not.
param($arg)
$task = @(Get-ScheduledTask -TaskName $arg.name -ErrorAction Ignore)
if ($task.Count -eq 0) { return @{ exists = $false; was_running = $false; state = ''; last_result = 0 } }
$wasRunning = [string]$task[0].State -eq 'Running'
if (-not $wasRunning) { [void](Start-ScheduledTask -TaskName $arg.name) }
$watch = [Diagnostics.Stopwatch]::StartNew()
do {
  $task = @(Get-ScheduledTask -TaskName $arg.name)[0]
  $state = [string]$task.State
  if ($state -eq 'Running') { break }
  [Threading.Thread]::Sleep(100)
} while ($watch.ElapsedMilliseconds -lt 3000)
$facts = $task | Get-ScheduledTaskInfo
@{ exists = $true; was_running = $wasRunning; state = $state; last_result = [long]$facts.LastTaskResult -band 4294967295 }
