@{
  ModuleVersion = '1.0.0'
  RootModule = 'ScheduledTasks.psm1'
  FunctionsToExport = @('Get-ScheduledTask', 'Get-ScheduledTaskInfo', 'Start-ScheduledTask', 'Stop-ScheduledTask', 'Unregister-ScheduledTask', 'New-ScheduledTaskAction', 'New-ScheduledTaskTrigger', 'New-ScheduledTaskPrincipal', 'New-ScheduledTaskSettingsSet', 'Register-ScheduledTask')
  CmdletsToExport = @()
  AliasesToExport = @()
}
