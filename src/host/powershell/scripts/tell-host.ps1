# What the machine and the account are.
param($arg)
$system = Get-CimInstance Win32_OperatingSystem
$isElevated = $null
try {
  $me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
  $isElevated = $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
} catch { }
@{
  system      = [string]$system.Caption
  version     = [string]$system.Version
  computer    = [Environment]::MachineName
  user        = [Environment]::UserName
  is_elevated = $isElevated
  session_id  = [Diagnostics.Process]::GetCurrentProcess().SessionId
  powershell  = [string]$PSVersionTable.PSVersion
  edition     = [string]$PSVersionTable.PSEdition
  code_page   = [Globalization.CultureInfo]::CurrentCulture.TextInfo.OEMCodePage
}
