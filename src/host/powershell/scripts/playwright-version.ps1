# The versions of Node and Playwright on the host, and of the browser server that runs. Playwright counts where launch-server.js
# finds it: beside it, or installed globally ("npm root -g" is asked last, because it takes a second).
param($arg)
$folder = "$($arg.folder)".Replace('\', '/')

function Read-Json([string]$path) {
  try { ConvertFrom-Json ([IO.File]::ReadAllText($path)) } catch { }
}

function Get-Said([string]$program, [string]$word, [string]$more) {
  # A program that complains must not end the script: 5.1 makes errors of what it writes to stderr.
  $ErrorActionPreference = 'Continue'
  try {
    if ($more) { $said = & $program $word $more 2>$null } else { $said = & $program $word 2>$null }
    "$(@($said)[0])".Trim()
  } catch { '' }
}

function Find-Package($places) {
  foreach ($place in $places) {
    if (-not $place) { continue }
    foreach ($name in 'playwright', 'playwright-core') {
      $facts = Read-Json "$place/$name/package.json"
      if ($facts.version) { return @{ version = [string]$facts.version; modules = [string]$place } }
    }
  }
}

$node = @(Get-Command node -CommandType Application -ErrorAction Ignore)[0]
$nodePath = $null
$nodeVersion = $null
$places = @("$folder/node_modules")
if ($node) {
  $nodePath = [string]$node.Source
  $said = Get-Said $nodePath '--version' ''
  if ($said -match '^v?(\d+\.\d+\.\d+)') { $nodeVersion = $Matches[1] }
  if ($env:npm_config_prefix) { $places += "$env:npm_config_prefix/node_modules" }
  if ($env:APPDATA) { $places += "$env:APPDATA/npm/node_modules" }
  $places += "$([IO.Path]::GetDirectoryName($nodePath))/node_modules"
  if ($env:ProgramFiles) { $places += "$env:ProgramFiles/nodejs/node_modules" }
}
$package = Find-Package $places
if (-not $package -and $node) {
  $npm = @(Get-Command 'npm.cmd', 'npm' -CommandType Application -ErrorAction Ignore)[0]
  if ($npm) { $package = Find-Package @(Get-Said $npm.Source 'root' '-g') }
}

$running = $null
$facts = Read-Json "$folder/run/server.json"
if ($facts.pid) {
  try {
    if ([Diagnostics.Process]::GetProcessById([int]$facts.pid).ProcessName -eq 'node') { $running = [string]$facts.version }
  } catch { }
}
$installed = $null
$modules = $null
if ($package) {
  $installed = $package.version
  $modules = $package.modules
}
@{ node = $nodeVersion; node_path = $nodePath; installed = $installed; modules = $modules; running = $running }
