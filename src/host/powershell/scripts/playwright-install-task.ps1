# Registers and starts the browser server's task with the script that was uploaded beside it, which an operator can use as well.
param($arg)
$given = @{ Folder = $arg.folder; Port = [int]$arg.port; Bind = $arg.bind }
if ($arg.run_as) { $given.RunAs = $arg.run_as }
if ($arg.node_path) { $given.Node = $arg.node_path }
if ($arg.modules) { $given.Modules = $arg.modules }
$text = [IO.File]::ReadAllText("$($arg.folder)/install-playwright.ps1")
& ([ScriptBlock]::Create($text)) @given
