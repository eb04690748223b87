@{
  ModuleVersion = '1.0.0'
  RootModule = 'NetTCPIP.psm1'
  FunctionsToExport = @('Get-NetTCPConnection')
  CmdletsToExport = @()
  AliasesToExport = @()
}
