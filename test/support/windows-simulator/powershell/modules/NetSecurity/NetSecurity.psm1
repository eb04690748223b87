. "$PSScriptRoot/../call.ps1"
function Get-NetFirewallRule {
  [CmdletBinding()] param([string]$Name, [string]$DisplayName)
  $rows = @(Invoke-Machine 'Get-NetFirewallRule' @{ name = $Name; displayName = $DisplayName })
  if ($rows.Count -eq 0) { Write-Error "No MSFT_NetFirewallRule objects found with property equal to '$Name$DisplayName'." }
  $rows
}
function Get-NetFirewallPortFilter {
  param([Parameter(ValueFromPipeline)]$InputObject)
  process { [pscustomobject]@{ Protocol = $InputObject.protocol; LocalPort = $InputObject.localPort } }
}
function Get-NetFirewallAddressFilter {
  param([Parameter(ValueFromPipeline)]$InputObject)
  process { [pscustomobject]@{ RemoteAddress = $InputObject.remoteAddress } }
}
function New-NetFirewallRule {
  param($Name, $DisplayName, $Direction, $Action, $Enabled, $Protocol, $LocalPort, $RemoteAddress)
  Invoke-Machine 'New-NetFirewallRule' $PSBoundParameters
}
function Set-NetFirewallRule {
  param($Name, $Direction, $Action, $Enabled, $Protocol, $LocalPort, $RemoteAddress)
  Invoke-Machine 'Set-NetFirewallRule' $PSBoundParameters
}
