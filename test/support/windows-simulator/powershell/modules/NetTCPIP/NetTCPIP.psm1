. "$PSScriptRoot/../call.ps1"
function Get-NetTCPConnection {
  [CmdletBinding()] param([int]$LocalPort, [string]$State)
  $rows = @(Invoke-Machine 'Get-NetTCPConnection' @{ port = $LocalPort })
  if ($rows.Count -eq 0) { Write-Error "No MSFT_NetTCPConnection objects found with property 'LocalPort' equal to '$LocalPort'." }
  $rows
}
