@{
  ModuleVersion = '1.0.0'
  RootModule = 'NetSecurity.psm1'
  FunctionsToExport = @('Get-NetFirewallRule', 'Get-NetFirewallPortFilter', 'Get-NetFirewallAddressFilter', 'New-NetFirewallRule', 'Set-NetFirewallRule')
  CmdletsToExport = @()
  AliasesToExport = @()
}
