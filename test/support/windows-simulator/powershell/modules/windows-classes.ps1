# Classes of .NET that only Windows has, under their names: those members that our scripts use, over the machine's state.
# What .NET itself does behind these names was never seen here. The words of rights and flags are .NET's own.
using namespace System.Security.AccessControl

[NoRunspaceAffinity()]
class MachineSid {
  [string]$Value
  MachineSid([string]$value) { $this.Value = $value }
  [string] ToString() { return $this.Value }
}

[NoRunspaceAffinity()]
class MachineAccount {
  [string]$Value
  MachineAccount([string]$name) { $this.Value = $name }
  [MachineSid] Translate([type]$into) { return [MachineSid]::new((Get-MachineSid $this.Value)) }
}

[NoRunspaceAffinity()]
class MachineIdentity {
  [string]$Name
  [MachineSid]$User
  static [MachineIdentity] GetCurrent() {
    $one = [MachineIdentity]::new()
    $one.Name = if ($env:WINSIM_USER -eq 'SYSTEM') { 'NT AUTHORITY\SYSTEM' } else { "$env:COMPUTERNAME\$env:WINSIM_USER" }
    $one.User = [MachineAccount]::new($one.Name).Translate([MachineSid])
    return $one
  }
}

# Whoever is let in by SSH here is an administrator and has his rights.
[NoRunspaceAffinity()]
class MachinePrincipal {
  MachinePrincipal([MachineIdentity]$one) { }
  [bool] IsInRole([Security.Principal.WindowsBuiltInRole]$role) { return $role -eq 'Administrator' }
}

[NoRunspaceAffinity()]
class MachineRule {
  [MachineSid]$IdentityReference
  [string]$Text
  MachineRule([MachineSid]$who, [FileSystemRights]$rights, [InheritanceFlags]$to, [PropagationFlags]$how, [AccessControlType]$type) {
    $this.IdentityReference = $who
    $this.Text = "$type $rights to $who ($to, $how)"
  }
}

[NoRunspaceAffinity()]
class MachineSecurity {
  [MachineSid]$Owner
  [bool]$IsProtected
  [string[]]$Rules = @()
  [MachineSid] GetOwner([type]$as) { return $this.Owner }
  [void] SetOwner([MachineSid]$owner) { $this.Owner = $owner }
  [void] SetAccessRuleProtection([bool]$isProtected, [bool]$keeps) {
    if ($keeps) { throw 'the simulator does not model rules that are kept' }
    $this.IsProtected = $isProtected
  }
  [void] AddAccessRule([MachineRule]$rule) { $this.Rules += $rule.Text }
}

$accelerators = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
$accelerators::Add('Security.Principal.SecurityIdentifier', [MachineSid])
$accelerators::Add('Security.Principal.NTAccount', [MachineAccount])
$accelerators::Add('Security.Principal.WindowsIdentity', [MachineIdentity])
$accelerators::Add('Security.Principal.WindowsPrincipal', [MachinePrincipal])
$accelerators::Add('Security.AccessControl.FileSystemAccessRule', [MachineRule])
$accelerators::Add('Security.AccessControl.DirectorySecurity', [MachineSecurity])
