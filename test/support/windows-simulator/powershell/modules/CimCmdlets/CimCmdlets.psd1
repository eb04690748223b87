@{
  ModuleVersion = '1.0.0'
  RootModule = 'CimCmdlets.psm1'
  FunctionsToExport = @('Get-CimInstance', 'Invoke-CimMethod')
  CmdletsToExport = @()
  AliasesToExport = @()
}
