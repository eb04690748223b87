# What the scheduler knows of a task. "exists" is not "runs": that says the state, and how it last ended the result
# (267009 it runs, 267011 it never ran, 267014 a user stopped it).
param($arg)
$task = @(Get-ScheduledTask -TaskName $arg.name -ErrorAction Ignore)
if ($task.Count -eq 0) { return @{ exists = $false } }
$task = $task[0]
$facts = $task | Get-ScheduledTaskInfo
$last = $null
if ($facts.LastRunTime -and $facts.LastRunTime.Year -gt 2000) { $last = $facts.LastRunTime.ToUniversalTime().ToString('o') }
@{
  exists               = $true
  state                = [string]$task.State
  last_result          = [long]$facts.LastTaskResult -band 4294967295
  last_run_at          = $last
  user                 = [string]$task.Principal.UserId
  logon_type           = [string]$task.Principal.LogonType
  execute              = [string]@($task.Actions)[0].Execute
  arguments            = [string]@($task.Actions)[0].Arguments
  execution_time_limit = [string]$task.Settings.ExecutionTimeLimit
}
