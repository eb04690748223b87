# Looks for a rule that lets TCP in on a port; with "create" there is one afterwards. The name is the rule's own (-Name), which
# is unique; a display name is not. A rule with our name that says something else is set right.
param($arg)

function Get-Found {
  @(
    Get-NetFirewallRule -Name $arg.name -ErrorAction Ignore
    Get-NetFirewallRule -DisplayName $arg.name -ErrorAction Ignore
  ) | ForEach-Object {
    $ports = $_ | Get-NetFirewallPortFilter
    $addresses = $_ | Get-NetFirewallAddressFilter
    @{
      name           = [string]$_.Name
      is_enabled     = [string]$_.Enabled -eq 'True'
      direction      = [string]$_.Direction
      action         = [string]$_.Action
      protocol       = [string]$ports.Protocol
      local_port     = @($ports.LocalPort) -join ','
      remote_address = @($addresses.RemoteAddress) -join ','
      profile        = [string]$_.Profile
    }
  }
}

function Test-Right($rule) {
  $rule.is_enabled -and $rule.direction -eq 'Inbound' -and $rule.action -eq 'Allow' -and
  ($rule.protocol -eq 'Any' -or ($rule.protocol -eq 'TCP' -and @('Any', "$($arg.port)") -contains $rule.local_port))
}

$found = @(Get-Found)
$isRight = @($found | Where-Object { Test-Right $_ }).Count -gt 0
$changed = $false
if ($arg.create -and -not $isRight) {
  $remote = $arg.remote_address
  if (-not $remote) { $remote = 'Any' }
  $own = @{ Name = $arg.name; Direction = 'Inbound'; Action = 'Allow'; Enabled = 'True'; Protocol = 'TCP'; LocalPort = $arg.port }
  if (@($found | Where-Object { $_.name -eq $arg.name }).Count -gt 0) { [void](Set-NetFirewallRule @own -RemoteAddress $remote) }
  else { [void](New-NetFirewallRule @own -DisplayName $arg.name -RemoteAddress $remote) }
  $changed = $true
  $found = @(Get-Found)
  $isRight = @($found | Where-Object { Test-Right $_ }).Count -gt 0
}
$rules = @{}
foreach ($rule in $found) { $rules[$rule.name] = $rule }
@{ is_right = $isRight; changed = $changed; rules = @($rules.Values) }
