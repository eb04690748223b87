. "$PSScriptRoot/../call.ps1"
function Get-CimInstance {
  [CmdletBinding()] param([Parameter(Position = 0)][string]$ClassName, [string]$Filter, $Property)
  Invoke-Machine 'Get-CimInstance' @{ className = $ClassName; filter = $Filter } | ForEach-Object {
    if ($_.CreationTicks) { $_ | Add-Member CreationDate (New-Object DateTime ([long]$_.CreationTicks), 'Utc').ToLocalTime() }
    $_
  }
}
function Invoke-CimMethod {
  [CmdletBinding()] param($InputObject, [string]$MethodName)
  if ($MethodName -ne 'GetOwner') { throw "the simulator does not model $MethodName" }
  [pscustomobject]@{ User = $InputObject.Owner }
}
