@{
  ModuleVersion = '1.0.0'
  RootModule = 'AccessControl.psm1'
  FunctionsToExport = @('Get-Acl', 'Set-Acl', 'Get-MachineSid')
  CmdletsToExport = @()
  AliasesToExport = @()
}
