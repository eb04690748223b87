. "$PSScriptRoot/../call.ps1"
function Get-Acl {
  [CmdletBinding()] param([string]$LiteralPath)
  $row = Invoke-Machine 'Get-Acl' @{ path = $LiteralPath }
  $acl = New-Object Security.AccessControl.DirectorySecurity
  $acl.SetOwner((New-Object Security.Principal.SecurityIdentifier $row.owner))
  $acl
}
function Set-Acl {
  [CmdletBinding()] param([string]$LiteralPath, $AclObject)
  $access = @{ owner = $AclObject.Owner.Value; isProtected = $AclObject.IsProtected; rules = $AclObject.Rules }
  $null = Invoke-Machine 'Set-Acl' (@{ path = $LiteralPath } + $access)
}
# What windows-classes.ps1 asks for: the classes themselves know no account.
function Get-MachineSid([string]$account) { (Invoke-Machine 'Get-MachineSid' @{ account = $account }).sid }
