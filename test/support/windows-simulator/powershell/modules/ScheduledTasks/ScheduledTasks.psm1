. "$PSScriptRoot/../call.ps1"
function Get-ScheduledTask {
  [CmdletBinding()] param([string]$TaskName)
  $rows = @(Invoke-Machine 'Get-ScheduledTask' @{ name = $TaskName })
  if ($rows.Count -eq 0) { Write-Error "No MSFT_ScheduledTask objects found with property 'TaskName' equal to '$TaskName'." }
  $rows
}
function Get-ScheduledTaskInfo {
  param([Parameter(ValueFromPipeline)]$InputObject)
  process { [pscustomobject]@{ LastTaskResult = $InputObject.LastTaskResult; LastRunTime = $InputObject.LastRunTime } }
}
function Start-ScheduledTask { [CmdletBinding()] param([string]$TaskName) $null = Invoke-Machine 'Start-ScheduledTask' @{ name = $TaskName } }
function Stop-ScheduledTask { [CmdletBinding()] param([string]$TaskName) $null = Invoke-Machine 'Stop-ScheduledTask' @{ name = $TaskName } }
function Unregister-ScheduledTask {
  [CmdletBinding(SupportsShouldProcess)] param([string]$TaskName)
  $null = Invoke-Machine 'Unregister-ScheduledTask' @{ name = $TaskName }
}
function New-ScheduledTaskAction { param($Execute, $Argument, $WorkingDirectory) $PSBoundParameters }
function New-ScheduledTaskTrigger { param([switch]$AtStartup, [switch]$AtLogOn, $User) $PSBoundParameters }
function New-ScheduledTaskPrincipal { param($UserId, $LogonType, $RunLevel) $PSBoundParameters }
function New-ScheduledTaskSettingsSet {
  param($ExecutionTimeLimit, $RestartCount, $RestartInterval, $MultipleInstances, [switch]$AllowStartIfOnBatteries,
    [switch]$DontStopIfGoingOnBatteries, [switch]$StartWhenAvailable, [switch]$Hidden)
  $PSBoundParameters
}
function Register-ScheduledTask {
  [CmdletBinding()] param($TaskName, $Action, $Trigger, $Principal, $Settings, $User, $Password, $Description, [switch]$Force)
  $limit = $Settings.ExecutionTimeLimit
  $interval = $Settings.RestartInterval
  Invoke-Machine 'Register-ScheduledTask' @{
    name = $TaskName; execute = $Action.Execute; arguments = "$($Action.Argument)"; workingDirectory = $Action.WorkingDirectory
    user = "$(@($Principal.UserId, $User) -ne $null | Select-Object -First 1)"; logonType = "$($Principal.LogonType)"; runLevel = "$($Principal.RunLevel)"
    atStartup = @($Trigger | Where-Object { $_.AtStartup }).Count -gt 0; atLogOn = @($Trigger | Where-Object { $_.AtLogOn }).Count -gt 0
    executionTimeLimit = $(if ($null -eq $limit) { $null } else { [Xml.XmlConvert]::ToString([TimeSpan]$limit) })
    restartInterval = $(if ($null -eq $interval) { $null } else { [Xml.XmlConvert]::ToString([TimeSpan]$interval) })
    restartCount = [int]$Settings.RestartCount; multipleInstances = "$($Settings.MultipleInstances)"
    allowBatteries = [bool]$Settings.AllowStartIfOnBatteries
  }
}
