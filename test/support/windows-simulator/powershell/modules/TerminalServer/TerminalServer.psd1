@{
  ModuleVersion = '1.0.0'
  RootModule = 'TerminalServer.psm1'
  FunctionsToExport = @('qwinsta.exe')
  CmdletsToExport = @()
  AliasesToExport = @()
}
