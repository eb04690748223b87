<#
Registers the scheduled task WinAutomation-Playwright, which runs launch-server.js, and starts it; a server that runs is
restarted. "windlass playwright install" uploads this file and runs it; an administrator can run it as well.

  -Port     the port, 9323
  -Bind     the address to listen on, 127.0.0.1: Windlass comes through SSH. 0.0.0.0 lets the whole network knock.
  -RunAs    the account, as DOMAIN\name; default: yours, without its administrator's rights. SYSTEM is possible, and then
            whoever knows the secret path owns the machine.
  -Node     node.exe; default: the first of PATH
  -Modules  the folder node_modules that has playwright, where it is not beside this file nor installed globally
  -Browsers the folder of the browsers; default: PLAYWRIGHT_BROWSERS_PATH, else yours
  -WsPath   the secret path. Discouraged: an argument shows in process lists and event logs. Without it the path is
            what ws_path.txt beside this file says.

Returns one object: state (installed, not_started), account, version, pid, log (the last line of run\server.log), last_result.
It must run under Windows PowerShell 5.1.
#>
param(
  [string]$Folder = 'C:\ProgramData\win-automation\playwright',
  [ValidateRange(1, 65535)][int]$Port = 9323,
  [ValidatePattern('^[0-9A-Za-z.:-]+$')][string]$Bind = '127.0.0.1',
  [string]$RunAs = '',
  [string]$Node = '',
  [string]$Modules = '',
  [string]$Browsers = '',
  [string]$WsPath = ''
)
$ErrorActionPreference = 'Stop'
$task = 'WinAutomation-Playwright'
$Folder = $Folder.Replace('/', '\').TrimEnd('\')
# The same for .NET, which reads it on every system.
$place = $Folder.Replace('\', '/')
$facts = "$place/run/server.json"

# A path as one argument. A backslash before the closing quote would escape it.
function Get-Quoted([string]$path) {
  $path = $path.Replace('/', '\').TrimEnd('\')
  if ($path.Contains('"')) { throw "a quote in the path $path" }
  "`"$path`""
}

function Read-Facts {
  try { ConvertFrom-Json ([IO.File]::ReadAllText($facts)) } catch { }
}

function Wait-Until([int]$seconds, [scriptblock]$over) {
  $watch = [Diagnostics.Stopwatch]::StartNew()
  while (-not (& $over)) {
    if ($watch.Elapsed.TotalSeconds -ge $seconds) { return $false }
    [Threading.Thread]::Sleep(200)
  }
  $true
}

function Test-Process($id) {
  try { [Diagnostics.Process]::GetProcessById([int]$id).ProcessName -eq 'node' } catch { $false }
}

function Stop-Server {
  $old = Read-Facts
  $known = @(Get-ScheduledTask -TaskName $task -ErrorAction Ignore)
  if ($known.Count -gt 0) { [void](Stop-ScheduledTask -TaskName $task) }
  if ($old.pid) {
    $isOver = Wait-Until 10 { -not (Test-Process $old.pid) }
    if (-not $isOver) { Stop-Process -Id $old.pid -Force }
  }
  [IO.File]::Delete($facts)
}

function Get-Arguments {
  $words = @((Get-Quoted "$Folder\launch-server.js"), '--port', "$Port", '--bind', $Bind)
  if ($Modules) { $words += @('--modules', (Get-Quoted $Modules)) }
  if ($Browsers) { $words += @('--browsers', (Get-Quoted $Browsers)) }
  $words -join ' '
}

# Nobody's password is stored: a service account needs none, and S4U does without.
function Get-Principal {
  $service = '^(NT AUTHORITY\\)?(SYSTEM|LOCAL ?SERVICE|NETWORK ?SERVICE)$'
  if ($RunAs -match $service) { return New-ScheduledTaskPrincipal -UserId $RunAs -LogonType ServiceAccount -RunLevel Limited }
  New-ScheduledTaskPrincipal -UserId $RunAs -LogonType S4U -RunLevel Limited
}

function Register-Server {
  $action = New-ScheduledTaskAction -Execute (Get-Quoted $Node) -Argument (Get-Arguments) -WorkingDirectory $Folder
  # Without the limit of 72 hours; after a failure again every minute. On battery too: a laptop may be a test machine.
  $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit ([TimeSpan]::Zero) -RestartCount 999 `
    -RestartInterval (New-TimeSpan -Minutes 1) -MultipleInstances IgnoreNew -StartWhenAvailable `
    -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
  $given = @{
    TaskName    = $task
    Action      = $action
    Trigger     = (New-ScheduledTaskTrigger -AtStartup)
    Settings    = $settings
    Principal   = (Get-Principal)
    Description = 'Browser server of Windlass'
  }
  [void](Register-ScheduledTask @given -Force)
}

if ($WsPath) { [IO.File]::WriteAllText("$place/ws_path.txt", $WsPath, (New-Object Text.UTF8Encoding $false)) }
foreach ($name in 'launch-server.js', 'ws_path.txt') {
  if (-not [IO.File]::Exists("$place/$name")) { throw "$Folder\$name is missing" }
}
if (-not $RunAs) { $RunAs = [Security.Principal.WindowsIdentity]::GetCurrent().Name }
if (-not $Node) { $Node = [string]@(Get-Command node -CommandType Application)[0].Source }
if (-not $Browsers) {
  $Browsers = "$env:PLAYWRIGHT_BROWSERS_PATH"
  if (-not $Browsers -and $env:LOCALAPPDATA -and [IO.Directory]::Exists("$env:LOCALAPPDATA/ms-playwright".Replace('\', '/'))) {
    $Browsers = "$env:LOCALAPPDATA\ms-playwright"
  }
}

Stop-Server
Register-Server
[void](Start-ScheduledTask -TaskName $task)
$since = [Diagnostics.Stopwatch]::StartNew()
[void](Wait-Until 30 {
    if ((Read-Facts).pid) { return $true }
    # A server that ended said why in its log; that its task runs may be told a moment late.
    $since.Elapsed.TotalSeconds -gt 5 -and "$((Get-ScheduledTask -TaskName $task).State)" -ne 'Running'
  })
$now = Read-Facts
$state = 'not_started'
if ($now.pid) { $state = 'installed' }
$log = ''
if ([IO.File]::Exists("$place/run/server.log")) { $log = [string]@([IO.File]::ReadAllLines("$place/run/server.log"))[-1] }
$result = (Get-ScheduledTask -TaskName $task | Get-ScheduledTaskInfo).LastTaskResult
@{
  state       = $state
  account     = $RunAs
  version     = [string]$now.version
  pid         = [int]$now.pid
  log         = $log
  last_result = [long]$result -band 4294967295
}
