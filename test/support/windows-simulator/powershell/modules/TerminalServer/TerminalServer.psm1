. "$PSScriptRoot/../call.ps1"
function qwinsta.exe { @(Invoke-Machine 'qwinsta' @{}) | ForEach-Object { $_.line } }
